package dev.pollux.embedding;

import dev.pollux.internal.text.Asking;
import dev.pollux.internal.text.Inline;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import dev.pollux.internal.text.Words;
import dev.pollux.job.JobContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Measures a {@link SimilarityScale}. <em>Confined to one thread.</em> */
final class ScaleMeasurement {

    /*
     * A question is made of a sentence s_i of passage p_i: the first two thirds of its words that carry meaning, 3 to 6 of
     * them, after a word that asks. With cos(i, j) the similarity of that question to sentence j,
     *
     *   unrelated = mean over i of the median over all j of other passages of cos(i, j)
     *   own       = median over i of cos(i, i)
     *
     * Real questions of reading tests have nearly the same two numbers as those made so, with every embedder tried
     * (docs/benchmarks.md), which is why no labels are needed. What is left out of the sentence stands for the answer; with
     * whole sentences as questions, or with all of their words, own is 1 or near it and says nothing.
     */

    static final int MOST_SENTENCES = 128;

    /** With fewer, sentences of everyday subjects are added: a median of a handful tells little. */
    private static final int FEWEST_SENTENCES = 32;

    private static final int FEWEST_WORDS = 4;
    private static final int FEWEST_ASKED = 3;
    private static final int MOST_ASKED = 6;

    /** Texts handed to the embedder at once: few, so that a cancel is noticed soon. */
    private static final int BATCH = 32;

    /** Below this distance the embedder tells nothing apart. */
    private static final double LEAST_DISTANCE = 0.02;

    /** A sentence, the passage that it is from, and a question on it. */
    private record Sample(int passage, String sentence, String question) {}

    private final Embedder embedder;
    private final JobContext job;
    private final List<Sample> samples = new ArrayList<>();

    ScaleMeasurement(Embedder embedder, JobContext job) {
        this.embedder = embedder;
        this.job = job;
    }

    SimilarityScale of(List<String> passages) {
        int used = Math.min(passages.size(), MOST_SENTENCES);
        int each = used == 0 ? 0 : Math.max(1, MOST_SENTENCES / used);
        for (int i = 0; i < used; i++) {
            job.checkCancelled();
            sample(i, passages.get(i), each);
        }
        for (int i = 0; samples.size() < FEWEST_SENTENCES && i < EverydaySentences.ALL.size(); i++) {
            sample(-1 - i, EverydaySentences.ALL.get(i), 1);
        }
        return samples.size() < 2 ? SimilarityScale.NONE : measured();
    }

    /** Adds up to {@code most} sentences of a passage, spread over it. */
    private void sample(int passage, String text, int most) {
        List<Sample> all = new ArrayList<>();
        Reading reading = Reading.ofPart(text, Reading.MARKDOWN);
        for (Sentence sentence : Sentences.of(reading)) {
            String plain = sentence.kind() == Sentence.Kind.PROSE
                    ? Inline.plain(reading.visible(sentence.start(), sentence.end()))
                    : "";
            Language language = Languages.of(plain);
            boolean says = !plain.isEmpty() && !Asking.isQuestion(plain);
            if (says && embedder.info().reads(language.code()) && fits(plain)) {
                question(plain, language).ifPresent(question -> all.add(new Sample(passage, plain, question)));
            }
        }
        int count = Math.min(most, all.size());
        for (int i = 0; i < count; i++) {
            samples.add(all.get((2 * i + 1) * all.size() / (2 * count)));
        }
    }

    /** Half of what the model reads leaves room for a prefix. */
    private boolean fits(String sentence) {
        return 2 * embedder.countTokens(sentence) <= embedder.info().maxTokens();
    }

    private static Optional<String> question(String sentence, Language language) {
        List<String> words = Words.of(sentence, language).stream()
                .filter(Words.Word::content)
                .map(Words.Word::text)
                .toList();
        if (words.size() < FEWEST_WORDS) {
            return Optional.empty();
        }
        int asked = Math.min(MOST_ASKED, Math.max(FEWEST_ASKED, words.size() * 2 / 3));
        String about = String.join(" ", words.subList(0, asked)) + "?";
        return Optional.of(language.equals(Languages.ENGLISH) ? "what " + about : about);
    }

    private SimilarityScale measured() {
        float[][] sentences = embedded(samples.stream().map(Sample::sentence).toList(), TextRole.PASSAGE, 0);
        float[][] questions = embedded(samples.stream().map(Sample::question).toList(), TextRole.QUERY, samples.size());
        double[] own = new double[samples.size()]; // (samples)
        double unrelated = 0;
        for (int i = 0; i < own.length; i++) {
            double[] others = new double[own.length]; // (samples of other passages)
            int count = 0;
            for (int j = 0; j < own.length; j++) {
                double similarity = dot(questions[i], sentences[j]);
                if (j == i) {
                    own[i] = similarity;
                } else if (samples.get(j).passage() != samples.get(i).passage()) {
                    others[count++] = similarity;
                }
            }
            unrelated += count == 0 ? 0 : median(Arrays.copyOf(others, count)) / own.length;
        }
        double answer = Math.min(1, median(own));
        double background = Math.max(-1, unrelated);
        return answer - background < LEAST_DISTANCE
                ? SimilarityScale.NONE
                : new SimilarityScale(background, answer, samples.size());
    }

    private float[][] embedded(List<String> texts, TextRole role, int before) { // (texts, dimension)
        float[][] vectors = new float[texts.size()][];
        for (int from = 0; from < vectors.length; from += BATCH) {
            job.checkCancelled();
            int to = Math.min(from + BATCH, vectors.length);
            float[][] rows = embedder.embed(texts.subList(from, to), role); // (to - from, dimension)
            System.arraycopy(rows, 0, vectors, from, to - from);
            job.progress("calibrate", (before + to) / 2, samples.size(), "sentences");
        }
        return vectors;
    }

    private static double median(double[] values) { // (n), n at least 1
        Arrays.sort(values);
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    private static double dot(float[] a, float[] b) { // (dimension) each
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
