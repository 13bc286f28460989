package dev.pollux.twin;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions from its owner's documents. An answer quotes evidence, or a model writes it and each sentence is
 * checked against the documents.
 *
 * <pre>{@code
 * Twin twin = Twin.builder()
 *         .retriever(knowledge.retriever())
 *         .embedder(embedder)
 *         .scale(knowledge::scale)
 *         .generator(generator)
 *         .build();
 * Answer answer = twin.ask("How do I merge two models?");
 * }</pre>
 *
 * <p><b>Evidence.</b> The twin splits the retrieved passages into sentences and quotes those with the highest
 * {@link Evidence#score()}. A quote includes the block that answers: a list with its steps, a table row with its column
 * names. Inline mark-up and comments are removed. Words are compared by their stem in the passage's language. Function
 * words are ignored. A word that occurs only in the headings above a sentence has weight 1/2. Sentences below
 * {@link TwinOptions#minScore()} are not evidence, nor is code that contains the question itself. A retriever returns a
 * nearest neighbour for every question. The answer is therefore {@link Answer.Kind#UNKNOWN} if there is no evidence, or if
 * the question has a name, a year or a number with letters that no passage contains. The same holds for a
 * numbered thing, such as <em>Item 177</em>, if the passages have its word with other numbers only.
 *
 * <p><b>Written answer.</b> If the generator {@linkplain WritingAbility is able to write}, the model gets the passages,
 * those with evidence first, as many as fit into its context with the answer (see {@link Packing}). Each written sentence
 * is checked. It is kept if one sentence of a passage supports it, or if each of its clauses has such a sentence. Passages
 * that the sentence cites are tried first. A source supports a written sentence if all of these rules hold:
 * <ol>
 *   <li><em>Order.</em> The source contains the content words in the same order. A phrase may move to the other end (<em>in
 *       2020</em>) and a passive may become active. Tenses and words such as <em>the</em> are ignored. Source <em>B pays
 *       A</em>: <em>A is paid by B</em> passes, <em>A pays B</em> fails.
 *   <li><em>Values.</em> Numbers ({@code 2} equals {@code two}), dates in any form, units, names and words of amount or
 *       order (<em>more</em>, <em>first</em>) all occur in the source, each in the clause of its subject. Source <em>A
 *       takes 8 hours and B takes 15 minutes</em>: <em>B takes 15 minutes</em> passes, <em>A takes 15 minutes</em> fails.
 *       Source <em>The fee goes from 20 to 35 on 1 July</em>: <em>Before 1 July the fee is 20</em> passes, <em>The fee is
 *       20</em> fails.
 *   <li><em>Polarity.</em> Both negate the same words and have the same conditions. If the source expresses doubt, the
 *       sentence does too. Source <em>It needs no Python</em>: <em>It does not need Python</em> passes, <em>It needs
 *       Python</em> fails.
 *   <li><em>Support.</em> (words in the source) / (words of the sentence) ≥ {@link TwinOptions#minSupport()}; in languages
 *       whose function words are unknown the ratio must be 1. A word that is not in the source replaces no word of the
 *       source and occurs in no other sentence of the passages.
 *   <li><em>Reference.</em> A pronoun in the source may refer to the subject of the sentence before it. A pronoun in the
 *       written sentence must refer to the question or to an earlier written sentence. A table row supports statements on
 *       its first cell, with the column heads as attributes. Captions and headings support nothing.
 * </ol>
 *
 * <p>A sentence is also dropped if it is a question, only repeats the question, is unfinished, or shares 4/5 of its words
 * with an earlier sentence. A sentence from passages without evidence is dropped if such sentences would make up most of
 * the answer. A kept sentence cites the supporting sentence in each passage that it cites. If it cites nothing or the wrong
 * passage, it gets the citation of a supporting passage. Dropped sentences are in {@link Answer#dropped()}.
 *
 * <p>Writing ends ({@link Answer#stop()}) when
 * <ul>
 *   <li>the model ends or repeats itself;
 *   <li>two sentences in a row are dropped;
 *   <li>the value that the question asks for is given;
 *   <li>{@value Completion#FEW} sentences are kept and the question asks for one thing;
 *   <li>{@value Completion#MANY} sentences are kept.
 * </ul>
 *
 * <p>If no sentence is kept, the answer is its evidence. If the groundedness is below
 * {@link TwinOptions#minGroundedness()}, the evidence is appended. The check compares words and their order; it drops true
 * sentences that are worded freely.
 *
 * <p>The twin does not close its retriever, embedder and generator: whoever opened them does.
 *
 * <p><em>Thread-safe</em> if its retriever, embedder and generator are; a {@link Conversation} is not.
 */
public final class Twin {

    private final Retriever retriever;
    private final EvidenceFinder finder;
    private final @Nullable Generator generator;
    private final @Nullable Packer packer;
    private final TwinPrompt prompt;
    private final Persona persona;
    private final TwinOptions options;
    private final GenerationOptions generation;
    private final WritingAbility writing;

    private Twin(Builder builder, Retriever retriever) {
        this.retriever = retriever;
        this.finder = new EvidenceFinder(Optional.ofNullable(builder.embedder), builder.scale, builder.persona.name());
        this.persona = builder.persona;
        this.options = builder.options;
        this.writing = WritingAbility.of(options.style(), Optional.ofNullable(builder.generator));
        Generator model = writing.writes() ? builder.generator : null;
        this.generator = model;
        if (model == null) {
            this.prompt = new TwinPrompt(persona, true);
            this.generation = options.generation();
            this.packer = null;
        } else {
            this.prompt = new TwinPrompt(persona, model.info().chat());
            int context = model.info().contextLength();
            int answer = Math.max(1, Math.min(options.generation().maxTokens(), context / 2));
            this.generation = options.generation().toBuilder().maxTokens(answer).build();
            this.packer = new Packer(model, prompt, context - answer);
        }
    }

    /** Returns a builder; only the retriever is required. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Answers a question.
     *
     * @return the complete answer
     * @throws IllegalArgumentException if the question is blank
     */
    public Answer ask(String question) {
        try (AnswerStream stream = stream(question)) {
            return stream.result();
        }
    }

    /**
     * Starts an answer. The evidence is found before this method returns; the model writes as the stream is read.
     *
     * @throws IllegalArgumentException if the question is blank
     */
    public AnswerStream stream(String question) {
        return stream(question, question, List.of(), answer -> {});
    }

    /** Starts a conversation, in which a question may refer to earlier ones. */
    public Conversation chat() {
        return new Conversation(this);
    }

    /** Returns whether this twin writes, with the reason. */
    public WritingAbility writing() {
        return writing;
    }

    /** Returns the options of this twin. */
    public TwinOptions options() {
        return options;
    }

    /**
     * @param question as the user asked it
     * @param subject the question made self-contained; used for retrieval and for the scores of the evidence
     * @param history earlier turns: question, answer, question, answer, …
     */
    AnswerStream stream(String question, String subject, List<Message> history, Consumer<Answer> onResult) {
        if (question.isBlank()) {
            throw new IllegalArgumentException("question must not be blank; ask with at least one word");
        }
        List<EvidencePassage> sources = new ArrayList<>();
        for (Hit hit : retriever.retrieve(Query.of(subject, options.topK()))) {
            sources.add(EvidencePassage.of(hit.passage()));
        }
        Finding finding = finder.find(question, subject, sources, options);
        PreparedQuestion prepared = prepared(question, history, sources, finding);
        Supplier<Writing> writing = prepared.prompt()
                .<Supplier<Writing>>map(p -> () -> {
                    AnswerVerifier verifier =
                            verifier(prepared, question, subject); // first: nothing is open if it fails
                    return new Writing(model().stream(p, generation), verifier);
                })
                .orElse(null);
        return new AnswerStream(prepared, options, writing, onResult);
    }

    private AnswerVerifier verifier(PreparedQuestion prepared, String question, String subject) {
        return new AnswerVerifier(
                new Grounding(prepared.packed(), options.minSupport(), persona.name(), subject),
                new Completion(question, prepared.packed()),
                prepared.found(),
                prepared.packed(),
                options.minGroundedness());
    }

    /** The answer to a text that is not a question. */
    AnswerStream reply(String text, Consumer<Answer> onResult) {
        PreparedQuestion prepared =
                new PreparedQuestion(Finding.ofReply(text), List.of(), new Packing(0, 0, 0, 0), Optional.empty());
        return new AnswerStream(prepared, options, null, onResult);
    }

    private PreparedQuestion prepared(
            String question, List<Message> history, List<EvidencePassage> sources, Finding finding) {
        List<EvidenceFinder.Found> found = finding.found();
        Packer fitting = packer;
        if (fitting == null || found.isEmpty()) {
            return new PreparedQuestion(finding, List.of(), new Packing(sources.size(), 0, 0, 0), Optional.empty());
        }
        int most = (int) (options.historyShare() * fitting.room());
        List<Message> turns = fitting.recent(history, question, most);
        List<TwinPrompt.Packed> packed = fitting.pack(numbered(sources, found), turns, question);
        if (packed.isEmpty()) {
            return new PreparedQuestion(finding, List.of(), new Packing(sources.size(), 0, 0, 0), Optional.empty());
        }
        Prompt asked = prompt.of(packed, turns, question);
        int whole = (int) packed.stream().filter(TwinPrompt.Packed::isWhole).count();
        Packing packing = new Packing(sources.size(), whole, packed.size() - whole, model().countTokens(asked));
        return new PreparedQuestion(finding, packed, packing, Optional.of(asked));
    }

    /** Passages with evidence first, numbered by their best evidence; then the other passages with the following numbers. */
    private static List<Packer.Numbered> numbered(List<EvidencePassage> sources, List<EvidenceFinder.Found> found) {
        IdentityHashMap<EvidencePassage, Packer.Numbered> numbered = new IdentityHashMap<>();
        List<Packer.Numbered> order = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            EvidencePassage source = found.get(i).source();
            if (!numbered.containsKey(source)) {
                Packer.Numbered passage =
                        new Packer.Numbered(i + 1, source, found.get(i).line().index());
                numbered.put(source, passage);
                order.add(passage);
            }
        }
        int next = found.size() + 1;
        for (EvidencePassage source : sources) {
            if (!numbered.containsKey(source) && !source.lines().isEmpty()) {
                order.add(new Packer.Numbered(next++, source, 0));
            }
        }
        return order;
    }

    private Generator model() {
        Generator model = generator;
        if (model == null) {
            throw new IllegalStateException("This twin only quotes; build it with a generator to write");
        }
        return model;
    }

    /** Builds a {@link Twin}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private @Nullable Retriever retriever;
        private @Nullable Embedder embedder;
        private Supplier<SimilarityScale> scale = () -> SimilarityScale.NONE;
        private @Nullable Generator generator;
        private Persona persona = Persona.DEFAULT;
        private TwinOptions options = TwinOptions.DEFAULTS;

        private Builder() {}

        /** Retrieves the passages; required. */
        public Builder retriever(Retriever retriever) {
            this.retriever = retriever;
            return this;
        }

        /** Embeds the sentences to compare. Without an embedder the score of evidence is the overlap of words alone. */
        public Builder embedder(Embedder embedder) {
            this.embedder = embedder;
            return this;
        }

        /**
         * Interprets the embedder's similarities; called once per question. Pass the scale of a knowledge base
         * ({@code knowledge::scale}) or a measured one. Without a scale the similarities are used directly, which suits
         * embedders whose unrelated texts have a similarity near 0.
         */
        public Builder scale(Supplier<SimilarityScale> scale) {
            this.scale = scale;
            return this;
        }

        /** Writes the answers; without a generator the twin quotes. */
        public Builder generator(Generator generator) {
            this.generator = generator;
            return this;
        }

        /** The identity of the twin in the prompt; default {@link Persona#DEFAULT}. */
        public Builder persona(Persona persona) {
            this.persona = persona;
            return this;
        }

        /** The options; default {@link TwinOptions#DEFAULTS}. */
        public Builder options(TwinOptions options) {
            this.options = options;
            return this;
        }

        /**
         * Returns the twin.
         *
         * @throws IllegalStateException if there is no retriever, or if the style is {@link TwinOptions.Style#WRITE} and
         *     there is no generator
         */
        public Twin build() {
            Retriever from = retriever;
            if (from == null) {
                throw new IllegalStateException("A twin needs a retriever; call retriever(...) first");
            }
            if (options.style() == TwinOptions.Style.WRITE && generator == null) {
                throw new IllegalStateException(
                        "A twin of style WRITE needs a generator; call generator(...) first or choose AUTO");
            }
            return new Twin(this, from);
        }
    }
}
