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
 * Answers from its owner's documents: with evidence, and with a written answer where one holds.
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
 * <p><b>Evidence.</b> The passages that the retriever finds are cut into sentences, and those that score best (see
 * {@link Evidence#score()}) are quoted, without inline mark-up and comments, as part of the block that answers: a list with its
 * steps, a row with the names of its columns. Words are compared by the stem of their language; function words do not count; a
 * word that stands only in the headings above a sentence counts half. Sentences below {@link TwinOptions#minScore()} are not
 * evidence, nor is code that holds the question itself. Where there is no evidence, or where the question has a name, a year or a
 * number with letters that no passage holds, the twin says that it does not know: the retriever always finds a nearest neighbour.
 *
 * <p><b>Written answer.</b> The model gets the passages, those with evidence first, as many as its context holds beside
 * the answer (see {@link Packing}), where it {@linkplain WritingAbility can write}. Each sentence it wrote is checked against what
 * it was given, and stays in the answer only if one sentence of a passage says it, those of the passages that it cites first; or
 * if each of its clauses is said by one. A sentence of a passage says what is written where
 * <ol>
 *   <li>the words that carry meaning stand in it in the same order. A phrase may stand at the other end (<em>in 2020</em>), and
 *       <em>A is paid by B</em> is <em>B pays A</em>. Tenses and words such as <em>the</em> do not count;
 *   <li>numbers (2 and {@code two} are one), dates in any form, units, names and words of amount or order (<em>more</em>,
 *       <em>first</em>) all stand there, each in the clause of its subject. Of <em>A takes 8 hours and B takes 15 minutes</em>
 *       nothing follows on A and 15 minutes. Of <em>goes from 20 to 35 on 1 July</em> follows 20 before that day and 35
 *       from then on;
 *   <li>both deny the same words, neither sets a condition that the other does not, and where the source is in doubt the sentence
 *       is too;
 *   <li>words of the sentence that no passage holds are few: at least the share {@link TwinOptions#minSupport()} of all is in
 *       the source, in languages whose function words are not known all of them. None stands in place of a word of the source,
 *       and none is a word of another sentence of the passages;
 *   <li>what the source says of <em>it</em> may be said of the subject of the sentence before; what is written of <em>it</em> must
 *       be of what was asked for or written of before. A row of a table says of its first cell what the heads of its columns
 *       say; captions and headings say nothing.
 * </ol>
 * Besides, a sentence is dropped that asks, that only repeats the question, that is not finished, or that shares four fifths of its
 * words with an earlier one; also one on passages without evidence, where those would be most of the answer. A sentence that stays
 * cites the sentence that says it in each passage that it cites; one that cites nothing, or the wrong passage, gets the citation
 * of the passage that says it. What does not stay is in
 * {@link Answer#dropped()}. The writing ends when the model does, when it repeats itself, when two sentences in a row do not stay,
 * or when the question is answered: with a value that was asked for, after {@value Completion#FEW} sentences where one thing was
 * asked for, after {@value Completion#MANY} in any case ({@link Answer#stop()}). Where nothing stays the answer is its evidence;
 * where what stays is too little ({@link TwinOptions#minGroundedness()}), its evidence follows. The rule compares words and their
 * order: it drops a true sentence that is worded freely.
 *
 * <p>A twin closes nothing that it was given: retriever, embedder and generator belong to whoever opened them.
 *
 * <p><em>Thread-safe</em>, as far as what it was given is; a {@link Conversation} is not.
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

    /** A builder; only a retriever is required. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Answers a question.
     *
     * @throws IllegalArgumentException if the question is blank
     */
    public Answer ask(String question) {
        try (AnswerStream stream = stream(question)) {
            return stream.result();
        }
    }

    /**
     * Begins an answer: its evidence is found when this returns, and the model writes as the stream is read.
     *
     * @throws IllegalArgumentException if the question is blank
     */
    public AnswerStream stream(String question) {
        return stream(question, question, List.of(), answer -> {});
    }

    /** Begins a conversation, whose questions may lean on those before them. */
    public Conversation chat() {
        return new Conversation(this);
    }

    /** Whether this twin writes, and why. */
    public WritingAbility writing() {
        return writing;
    }

    /** The options of this twin. */
    public TwinOptions options() {
        return options;
    }

    /**
     * @param question as it was asked
     * @param subject the same, standing on its own: what to retrieve and to compare evidence with
     * @param history earlier turns, a question and an answer each
     */
    AnswerStream stream(String question, String subject, List<Message> history, Consumer<Answer> onResult) {
        if (question.isBlank()) {
            throw new IllegalArgumentException("question must not be blank; ask with at least one word");
        }
        List<Source> sources = new ArrayList<>();
        for (Hit hit : retriever.retrieve(Query.of(subject, options.topK()))) {
            sources.add(Source.of(hit.passage()));
        }
        Finding finding = finder.find(question, subject, sources, options);
        Inquiry inquiry = inquiry(question, history, sources, finding);
        Supplier<Writing> writing = inquiry.prompt()
                .<Supplier<Writing>>map(
                        p -> () -> new Writing(model().stream(p, generation), draft(inquiry, question, subject)))
                .orElse(null);
        return new AnswerStream(inquiry, options, writing, onResult);
    }

    private Draft draft(Inquiry inquiry, String question, String subject) {
        return new Draft(
                new Grounding(inquiry.packed(), options.minSupport(), persona.name(), subject),
                new Completion(question, inquiry.packed()),
                inquiry.found(),
                inquiry.packed(),
                options.minGroundedness());
    }

    /** The answer to a text that asks nothing. */
    AnswerStream reply(String text, Consumer<Answer> onResult) {
        Inquiry inquiry = new Inquiry(Finding.ofReply(text), List.of(), new Packing(0, 0, 0, 0), Optional.empty());
        return new AnswerStream(inquiry, options, null, onResult);
    }

    private Inquiry inquiry(String question, List<Message> history, List<Source> sources, Finding finding) {
        List<EvidenceFinder.Found> found = finding.found();
        Packer fitting = packer;
        if (fitting == null || found.isEmpty()) {
            return new Inquiry(finding, List.of(), new Packing(sources.size(), 0, 0, 0), Optional.empty());
        }
        int most = (int) (options.historyShare() * fitting.room());
        List<Message> turns = fitting.recent(history, question, most);
        List<TwinPrompt.Packed> packed = fitting.pack(numbered(sources, found), turns, question);
        if (packed.isEmpty()) {
            return new Inquiry(finding, List.of(), new Packing(sources.size(), 0, 0, 0), Optional.empty());
        }
        Prompt asked = prompt.of(packed, turns, question);
        int whole = (int) packed.stream().filter(TwinPrompt.Packed::isWhole).count();
        Packing packing = new Packing(sources.size(), whole, packed.size() - whole, model().countTokens(asked));
        return new Inquiry(finding, packed, packing, Optional.of(asked));
    }

    /** Passages with evidence first, with the number of their best; then the others, numbered on. */
    private static List<Packer.Numbered> numbered(List<Source> sources, List<EvidenceFinder.Found> found) {
        IdentityHashMap<Source, Packer.Numbered> numbered = new IdentityHashMap<>();
        List<Packer.Numbered> order = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            Source source = found.get(i).source();
            if (!numbered.containsKey(source)) {
                Packer.Numbered passage =
                        new Packer.Numbered(i + 1, source, found.get(i).line().index());
                numbered.put(source, passage);
                order.add(passage);
            }
        }
        int next = found.size() + 1;
        for (Source source : sources) {
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

        /** Where passages come from; required. */
        public Builder retriever(Retriever retriever) {
            this.retriever = retriever;
            return this;
        }

        /** What sentences are compared with; without one, words alone choose the evidence. */
        public Builder embedder(Embedder embedder) {
            this.embedder = embedder;
            return this;
        }

        /**
         * What the embedder's similarities mean, asked for with each question: that of a knowledge base
         * ({@code knowledge::scale}), or one that was measured. Without one they are taken as they are, which suits
         * embedders whose unrelated texts have a similarity near 0.
         */
        public Builder scale(Supplier<SimilarityScale> scale) {
            this.scale = scale;
            return this;
        }

        /** What writes; without one the twin quotes. */
        public Builder generator(Generator generator) {
            this.generator = generator;
            return this;
        }

        /** For whom the twin speaks; default {@link Persona#DEFAULT}. */
        public Builder persona(Persona persona) {
            this.persona = persona;
            return this;
        }

        /** How it works; default {@link TwinOptions#DEFAULTS}. */
        public Builder options(TwinOptions options) {
            this.options = options;
            return this;
        }

        /**
         * The twin.
         *
         * @throws IllegalStateException if there is no retriever, or no generator where the style is
         *     {@link TwinOptions.Style#WRITE}
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
