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

/** Chooses the sentences of retrieved passages that bear on a question. <em>Thread-safe.</em> */
final class EvidenceFinder {

    /*
     * score(s) = 0.4 scale(cos(q, s)) + 0.6 overlap(q, s), where SimilarityScale explains the scale and Coverage the overlap.
     * Both parts are in [0, 1] whatever else was retrieved, so one threshold serves every question, embedder and retriever,
     * also one whose scores are ranks; dividing by the best of a list instead ranks no better and tells nothing about
     * relevance.
     */

    /** Sentences to embed for one question: what a small model on two cores does in a fraction of a second. */
    private static final int MOST_EMBEDDED = 64;

    private static final double SIMILARITY_WEIGHT = 0.4;

    /**
     * A sentence with its score.
     *
     * @param excerpt what is shown for it
     */
    record Found(Source source, Source.Line line, double score, Excerpt excerpt) {

        /** A sentence that is shown alone. */
        Found(Source source, Source.Line line, double score) {
            this(source, line, score, Excerpt.of(line));
        }
    }

    private final Optional<Embedder> embedder;
    private final Supplier<SimilarityScale> scale;
    private final Set<String> self;

    /**
     * @param scale that of the embedder
     * @param self the name of the twin, which documents need not mention
     */
    EvidenceFinder(Optional<Embedder> embedder, Supplier<SimilarityScale> scale, String self) {
        this.embedder = embedder;
        this.scale = scale;
        this.self = Words.of(self).stream().map(Words.Word::form).collect(Collectors.toSet());
    }

    /**
     * The excerpts of {@code sources} that score at least what {@code options} ask for, best first, none twice.
     *
     * @param question as it was asked
     * @param subject the same with what it leans on; equal where it stands on its own
     */
    Finding find(String question, String subject, List<Source> sources, TwinOptions options) {
        Set<Language> languages = sources.stream().map(Source::language).collect(Collectors.toSet());
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

    /** Every sentence that may be evidence, best first; equal scores keep the order of the passages. */
    private List<Found> ranked(
            String question, String subject, List<Source> sources, Coverage coverage, Optional<Embedder> embedder) {
        List<Found> byWords = new ArrayList<>();
        Optional<String> asked = asked(question);
        for (Source source : sources) {
            for (Source.Line line : source.lines()) {
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

    /** Whether a line is code that says what was asked: an example of how to ask, whose words would all match. */
    private static boolean asks(Source.Line line, Optional<String> asked) {
        return line.range().kind() == Sentence.Kind.CODE
                && asked.isPresent()
                && said(line.words()).contains(asked.get());
    }

    /** The question as {@link #said}; empty for search words, without a function word among them, which ask nothing. */
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

    /** The longest beginning of a text, halved as often as needed, that the embedder reads; only its similarity is of that part. */
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
