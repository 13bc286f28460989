package dev.pollux.twin;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Chooses the sentences of retrieved passages that bear on a question. <em>Thread-safe.</em> */
final class EvidenceFinder {

    /*
     * score(s) = (max(0, cos(q, s)) + overlap(q, s)) / 2
     * overlap(q, s) = sum of weight(w) idf(w) over the question's stems w in s / sum of weight(w) idf(w) over all of them,
     *     a stem that stands in what s is read with (Context) counts as its own, one only in the headings above s half
     * idf(w) = ln(1 + (N + 20) / (n + 1)), n of the N sentences of the retrieved passages hold w
     * weight(w) = 1, or 1/4 for a word that a follow-up only carries from the question before
     *
     * The 20 stands for sentences never seen: with few passages, all on one subject, the idf of the subject's own words
     * would else be next to nothing beside that of any other word of the question. Both parts lie in [0, 1] whatever else
     * was retrieved, so one threshold serves every question and every retriever, also one whose scores are ranks;
     * dividing by the best of a list instead ranks no better and tells nothing about relevance.
     */

    private static final double UNSEEN = 20;

    private static final double CARRIED_WEIGHT = 0.25;

    /** Sentences to embed for one question: what a small model on two cores does in a fraction of a second. */
    private static final int MOST_EMBEDDED = 64;

    private static final double HEADING_WEIGHT = 0.5;

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

    EvidenceFinder(Optional<Embedder> embedder) {
        this.embedder = embedder;
    }

    /**
     * The excerpts of {@code sources} that score at least {@code least}, best first, at most {@code most}, none twice.
     *
     * @param question as it was asked
     * @param subject the same with what it leans on; equal where it stands on its own
     */
    List<Found> find(String question, String subject, List<Source> sources, int most, double least) {
        return new Excerpts(question, ranked(question, subject, sources)).best(most, least);
    }

    /** Every sentence that may be evidence, best first; equal scores keep the order of the passages. */
    private List<Found> ranked(String question, String subject, List<Source> sources) {
        List<Found> byWords = new ArrayList<>();
        Map<String, Double> idf = idf(Words.questionStems(subject), sources);
        Set<String> own = Words.questionStems(question);
        idf.replaceAll((stem, value) -> own.contains(stem) ? value : value * CARRIED_WEIGHT);
        double sum = idf.values().stream().mapToDouble(Double::doubleValue).sum();
        Optional<String> asked = asked(question);
        for (Source source : sources) {
            for (Source.Line line : source.lines()) {
                if (line.isStatement() && !asks(line, asked)) {
                    byWords.add(new Found(source, line, sum == 0 ? 0 : overlap(idf, line) / sum));
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

    private static Map<String, Double> idf(Set<String> stems, List<Source> sources) {
        Map<String, Integer> counts = new HashMap<>();
        int sentences = 0;
        for (Source source : sources) {
            for (Source.Line line : source.lines()) {
                sentences++;
                line.stems().stream().filter(stems::contains).forEach(stem -> counts.merge(stem, 1, Integer::sum));
            }
        }
        Map<String, Double> idf = new HashMap<>();
        for (String stem : stems) {
            int n = counts.getOrDefault(stem, 0);
            idf.put(stem, Math.log(1 + (sentences + UNSEEN) / (n + 1)));
        }
        return idf;
    }

    private static double overlap(Map<String, Double> idf, Source.Line line) {
        double sum = 0;
        for (Map.Entry<String, Double> entry : idf.entrySet()) {
            if (line.holds(entry.getKey())) {
                sum += entry.getValue();
            } else if (line.section().stems().contains(entry.getKey())) {
                sum += entry.getValue() * HEADING_WEIGHT;
            }
        }
        return sum;
    }

    private static List<Found> withSimilarity(Embedder embedder, String question, List<Found> byWords) {
        List<Found> candidates = byWords.subList(0, Math.min(MOST_EMBEDDED, byWords.size()));
        float[] query = embedder.embed(List.of(fitting(embedder, question)), TextRole.QUERY)[0]; // (dimension)
        List<String> texts = candidates.stream()
                .map(found -> fitting(embedder, found.line().compared()))
                .toList();
        float[][] vectors = embedder.embed(texts, TextRole.PASSAGE); // (candidates, dimension)
        List<Found> scored = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            Found found = candidates.get(i);
            double similarity = Math.max(0, dot(query, vectors[i]));
            scored.add(new Found(found.source(), found.line(), Math.min(1, (similarity + found.score()) / 2)));
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
