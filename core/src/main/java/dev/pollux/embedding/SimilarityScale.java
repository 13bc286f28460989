package dev.pollux.embedding;

import dev.pollux.job.Job;
import java.util.List;
import java.util.Locale;

/**
 * What the similarity of two vectors means with one {@link Embedder} on one collection of documents. <em>Immutable.</em>
 *
 * <p>An inner product of 0.7 is the answer to a question with one model and a text on something else with another. Two numbers
 * of a collection tell which: the similarity of a question to a sentence that has nothing to do with it, and to the sentence
 * that answers it. {@link #of} brings similarities to a scale on which the two are 0 and {@value #OWN}, so that one
 * least score serves every embedder.
 *
 * @param unrelated the similarity of a question to sentences of other passages: the mean over the questions of the median,
 *     in [-1, 1]
 * @param own the similarity of a question to its own sentence: the median, in [-1, 1] and above {@code unrelated}
 * @param sentences the sentences that were measured; 0 where nothing was
 */
public record SimilarityScale(double unrelated, double own, int sentences) {

    /** The place of {@link #own} on the scale: about where all-MiniLM-L6-v2 has it, whose scale is nearly that of its cosines. */
    public static final double OWN = 0.7;

    /** Similarities as they are, but for negative ones, which are 0. */
    public static final SimilarityScale NONE = new SimilarityScale(0, OWN, 0);

    public SimilarityScale {
        if (!(unrelated >= -1 && own <= 1 && unrelated < own)) {
            throw new IllegalArgumentException("unrelated and own must be in [-1, 1] and unrelated the lower but were "
                    + unrelated + " and " + own);
        }
        if (sentences < 0) {
            throw new IllegalArgumentException("sentences must be at least 0 but was " + sentences);
        }
    }

    /**
     * A job that measures the scale of an embedder on passages of documents, without questions on them: of each passage a
     * sentence is taken, most of its words serve as a question, and both are embedded. Where the passages have too few
     * sentences, sentences of this library fill up.
     *
     * <p>It embeds two short texts a sentence, at most {@value ScaleMeasurement#MOST_SENTENCES} sentences. The result depends on
     * its arguments alone, and on their order only where there are more passages than that. Event: {@code calibrate} in
     * sentences.
     *
     * @param passages text or Markdown; {@value ScaleMeasurement#MOST_SENTENCES} are enough
     * @return {@link #NONE} where the embedder tells no sentence from others
     */
    public static Job<SimilarityScale> measuring(Embedder embedder, List<String> passages) {
        return Job.of("calibrate", context -> new ScaleMeasurement(embedder, context).of(passages));
    }

    /** The place of a similarity (cosine) on the scale, in [0, 1]: 0 for {@link #unrelated} and below, {@value #OWN} for {@link #own}. */
    public double of(double similarity) {
        return Math.max(0, Math.min(1, OWN * (similarity - unrelated) / (own - unrelated)));
    }

    /** The two similarities and what they were measured on. */
    @Override
    public String toString() {
        return sentences == 0
                ? "not measured"
                : String.format(Locale.ROOT, "%.3f unrelated, %.3f own, of %d sentences", unrelated, own, sentences);
    }
}
