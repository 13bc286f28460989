package dev.pollux.twin;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Selects the sentences of the retrieved passages that are relevant to a question. <em>Thread-safe.</em> */
final class EvidenceFinder {

    /*
     * score(s) = 0.4 scale(cos(q, s)) + 0.6 overlap(q, s)
     *
     * SimilarityScale defines the scale, Coverage the overlap. Both terms are in [0, 1] whatever else was
     * retrieved. One threshold therefore serves every question, embedder and retriever, including retrievers
     * whose scores are ranks.
     *
     * Rejected: dividing by the best score of a list. It ranks no better and carries no information on relevance.
     */

    /** Maximum number of sentences to embed for one question: a fraction of a second for a small model on two cores. */
    private static final int MOST_EMBEDDED = 64;

    private static final double SIMILARITY_WEIGHT = 0.4;

    /**
     * A sentence with its score.
     *
     * @param excerpt the quoted excerpt
     */
    record Found(EvidencePassage source, SentenceSpan line, double score, Excerpt excerpt) {

        /** A sentence that is quoted alone. */
        Found(EvidencePassage source, SentenceSpan line, double score) {
            this(source, line, score, Excerpt.of(line));
        }
    }

    private final Optional<Embedder> embedder;
    private final Supplier<SimilarityScale> scale;
    private final Set<String> self;

    /**
     * @param scale the scale of the embedder
     * @param self the name of the twin, which the documents need not contain
     */
    EvidenceFinder(Optional<Embedder> embedder, Supplier<SimilarityScale> scale, String self) {
        this.embedder = embedder;
        this.scale = scale;
        this.self = Words.of(self).stream().map(Words.Word::form).collect(Collectors.toSet());
    }

    /**
     * The excerpts of {@code sources} whose score reaches the threshold of {@code options}, best first, without duplicates.
     *
     * @param question as the user asked it
     * @param subject the question extended by the words that it refers to; equal if it is self-contained
     */
    Finding find(String question, String subject, List<EvidencePassage> sources, TwinOptions options) {
        Set<Language> languages =
                sources.stream().map(EvidencePassage::language).collect(Collectors.toSet());
        Language language = Languages.ofQuestion(subject, languages);
        Optional<Embedder> reading = embedder.filter(e -> e.info().reads(language.code()));
        double least = reading.isPresent() ? options.minScore() : options.minOverlap();
        Coverage coverage = new Coverage(question, subject, sources);
        List<Found> ranked = Polarity.ranked(
                question, Words.of(question, language), ranked(question, subject, sources, coverage, reading));
        List<Found> best = new Excerpts(question, ranked).best(options.maxEvidence(), least);
        List<String> notices = reading.isPresent() ? List.of() : notices(language);
        List<String> missing = coverage.missing(question, sources, self);
        if (missing.isEmpty()) {
            return new Finding(best, List.of(), Optional.empty(), notices, "");
        }
        return new Finding(List.of(), missing, best.stream().findFirst(), notices, "");
    }

    private List<String> notices(Language language) {
        return embedder
                .map(e -> "The question is in "
                        + Locale.forLanguageTag(language.code()).getDisplayLanguage(Locale.ENGLISH)
                        + ", which the embedder " + e.info().name()
                        + " does not read; documents were searched and compared by their words alone.")
                .stream()
                .toList();
    }

    /** Every possible sentence of evidence, best first; equal scores keep the order of the passages. */
    private List<Found> ranked(
            String question,
            String subject,
            List<EvidencePassage> sources,
            Coverage coverage,
            Optional<Embedder> embedder) {
        List<Found> byWords = new ArrayList<>();
        Optional<String> asked = asked(question);
        for (EvidencePassage source : sources) {
            for (SentenceSpan line : source.lines()) {
                if (line.isStatement() && !asks(line, asked) && !coverage.isOfAnother(source, line)) {
                    byWords.add(new Found(source, line, coverage.of(source, line)));
                }
            }
        }
        byWords.sort(Comparator.comparingDouble(Found::score).reversed());
        if (embedder.isEmpty() || byWords.isEmpty()) {
            return byWords;
        }
        List<Found> scored = withSimilarity(embedder.get(), subject, byWords);
        scored.sort(Comparator.comparingDouble(Found::score).reversed());
        return scored;
    }

    /** Whether a line is code that contains the question: an example of asking, in which all words would match. */
    private static boolean asks(SentenceSpan line, Optional<String> asked) {
        return line.range().kind() == Sentence.Kind.CODE
                && asked.isPresent()
                && said(line.words()).contains(asked.get());
    }

    /** The question as {@link #said}; empty for keywords, which have no function word and ask nothing. */
    private static Optional<String> asked(String question) {
        List<Words.Word> words = Words.of(question);
        return words.stream().allMatch(Words.Word::content) ? Optional.empty() : Optional.of(said(words));
    }

    private static String said(List<Words.Word> words) {
        return words.stream()
                .map(word -> word.text().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(" ", " ", " "));
    }

    private List<Found> withSimilarity(Embedder embedder, String question, List<Found> byWords) {
        SimilarityScale measured = scale.get();
        List<Found> candidates = byWords.subList(0, Math.min(MOST_EMBEDDED, byWords.size()));
        float[] query = embedder.embed(List.of(fitting(embedder, question)), TextRole.QUERY)[0]; // (dimension)
        List<String> texts = candidates.stream()
                .map(found -> fitting(embedder, found.line().compared()))
                .toList();
        float[][] vectors = embedder.embed(texts, TextRole.PASSAGE); // (candidates, dimension)
        List<Found> scored = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            Found found = candidates.get(i);
            double similarity = measured.of(dot(query, vectors[i]));
            double score = SIMILARITY_WEIGHT * similarity + (1 - SIMILARITY_WEIGHT) * found.score();
            scored.add(new Found(found.source(), found.line(), Math.min(1, score)));
        }
        return scored;
    }

    /** The text, halved until the embedder accepts it; only the similarity uses the shorter text. */
    private static String fitting(Embedder embedder, String text) {
        String part = text;
        while (part.length() > 1 && embedder.countTokens(part) > embedder.info().maxTokens()) {
            int half = part.length() / 2;
            part = part.substring(0, Character.isLowSurrogate(part.charAt(half)) ? half + 1 : half);
        }
        return part;
    }

    private static double dot(float[] a, float[] b) { // (dimension) each
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
