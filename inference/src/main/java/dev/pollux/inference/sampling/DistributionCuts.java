package dev.pollux.inference.sampling;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Mirostat;
import dev.pollux.generation.Xtc;
import java.util.Arrays;
import java.util.Optional;

/**
 * Converts logits to the distribution that a token is drawn from: temperature, top-h, top-k, top-p, min-p, typical-p, epsilon,
 * eta, XTC, mirostat. <em>Not thread-safe: one thread at a time.</em>
 *
 * <p>The arrays are reused from token to token, so a warm sampler allocates nothing.
 */
final class DistributionCuts {

    /*
     * The vocabulary is never sorted as a whole. A listed token has its distance from the best logit, divided by the
     * temperature, and its weight exp(-distance), so that
     *
     *   top-k, and min-p without top-p, are thresholds on the logits, applied before any exponential;
     *   top-p and typical-p ask MassPrefix, which sorts one bucket of a histogram; for top-p it is filled as tokens are listed;
     *   epsilon and eta are thresholds on the probabilities;
     *   the surprise of a token is its distance plus the logarithm of the sum of the weights: no logarithm per token.
     *
     * Each cut sees the distribution that the cut before left, as in transformers. Tokens stay in the order of their ids.
     */

    /** Top-h looks at this number of best tokens, as in transformers. */
    private static final int TOP_H_TOKENS = 100;

    private final GenerationOptions options;
    private final TokenDistribution result = new TokenDistribution(); // the weights, until they are normalized
    private final LargestLogits largest = new LargestLogits();
    private final MassPrefix prefix = new MassPrefix();
    private double[] distances = {}; // (count and more), of the listed tokens
    private double[] keys = {}; // (count and more)
    private double sum; // of the weights
    private double bound; // of mirostat, in bits

    DistributionCuts(GenerationOptions options) {
        this.options = options;
        this.bound = options.mirostat().map(Mirostat::tau).orElse(0.0) * 2;
    }

    /** Puts all probability on one token. */
    TokenDistribution certain(int token) {
        result.certain(token);
        return result;
    }

    /**
     * Computes the distribution for {@link GenerationOptions} whose temperature is not 0.
     *
     * @param logits (vocabulary), after biases, penalties and constraint; top-h changes them
     * @param best the largest of them
     * @param uniform a random number in [0, 1) that belongs to this position
     * @throws ModelExecutionException if the largest logit is infinite
     */
    TokenDistribution of(float[] logits, float best, double uniform) {
        if (!(Math.abs(best) < Float.POSITIVE_INFINITY)) {
            throw infinite(best);
        }
        topH(logits, best);
        list(logits, best);
        topP();
        typicalP();
        epsilonAndEta();
        if (options.xtc().isPresent() && uniform < options.xtc().get().probability()) {
            excludeTopChoices(options.xtc().get());
        }
        if (options.mirostat().isPresent()) {
            keepUpTo(bound * StrictMath.log(2) - StrictMath.log(sum));
        }
        double inverse = 1 / sum;
        for (int i = 0; i < result.count; i++) {
            result.probabilities[i] *= inverse;
        }
        return result;
    }

    static ModelExecutionException infinite(double largest) {
        return new ModelExecutionException("No token can be drawn: the largest logit is " + largest
                + "; loosen the biases and prohibitions of the options, or export the model again");
    }

    /** Learns that a token was chosen from the last distribution. */
    void observe(int token) {
        Optional<Mirostat> mirostat = options.mirostat();
        double p = mirostat.isPresent() ? result.probabilityOf(token) : 0;
        if (p > 0) {
            double surprise = -StrictMath.log(p) / StrictMath.log(2);
            bound -= mirostat.get().eta() * (surprise - mirostat.get().tau());
        }
    }

    /** Forbids the tokens after the first whose entropy together exceeds the share. */
    private void topH(float[] logits, float best) {
        if (options.topH() >= 1) {
            return;
        }
        int found = largest.sort(logits, TOP_H_TOKENS);
        reserve(found);
        double total = 0;
        double moment = 0; // the sum of weight · distance
        int count = 0;
        while (count < found && logits[largest.ids()[count]] > Float.NEGATIVE_INFINITY) {
            distances[count] = ((double) best - logits[largest.ids()[count]]) / options.temperature();
            keys[count] = Exponential.ofMinus(distances[count]);
            total += keys[count];
            moment += keys[count] * distances[count++];
        }
        double logTotal = StrictMath.log(total);
        double most = options.topH() * (logTotal + moment / total);
        double entropy = keys[0] / total * (logTotal + distances[0]);
        int kept = 1;
        while (kept < count) {
            entropy += keys[kept] / total * (logTotal + distances[kept]);
            if (entropy > most) {
                break;
            }
            kept++;
        }
        keepOnly(kept, logits);
    }

    /** Forbids all tokens but the first of {@link LargestLogits#ids()}. */
    private void keepOnly(int kept, float[] logits) {
        for (int i = 0; i < kept; i++) {
            keys[i] = logits[largest.ids()[i]];
        }
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < kept; i++) {
            logits[largest.ids()[i]] = (float) keys[i];
        }
    }

    /** Lists the tokens that top-k and min-p keep; with top-p, min-p comes later. */
    private void list(float[] logits, float best) {
        int k = options.topK();
        double least = k == 0 || k >= logits.length ? Float.NEGATIVE_INFINITY : largest.threshold(logits, k);
        if (options.topP() >= 1 && options.minP() > 0) {
            least = Math.max(least, best + StrictMath.log(options.minP()) * options.temperature());
        }
        reserve(logits.length);
        double negligible = (1 - options.topP()) / logits.length; // all such tokens together are not in the nucleus
        double inverse = 1 / options.temperature();
        boolean nucleus = options.topP() < 1;
        prefix.clear();
        double total = 0;
        int count = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] >= least) {
                double distance = ((double) best - logits[id]) * inverse;
                double weight = Exponential.ofMinus(distance);
                result.put(count, id, weight);
                distances[count] = distance;
                total += weight;
                count += weight > negligible ? 1 : 0;
                if (nucleus) {
                    prefix.add(distance, weight);
                }
            }
        }
        result.count = count;
        sum = total;
    }

    private void topP() {
        if (options.topP() >= 1) {
            return;
        }
        prefix.end(distances, result.probabilities, result.count, options.topP() * sum);
        double end = prefix.mark(distances);
        double total = 0;
        int count = 0;
        for (int i = 0; i < result.count; i++) { // without a branch, which would often be mispredicted
            double weight = result.probabilities[i];
            int kept = distances[i] * MassPrefix.PER_UNIT < end ? 1 : 0;
            result.put(count, result.ids[i], weight);
            distances[count] = distances[i];
            total += weight * kept;
            count += kept;
        }
        result.count = count;
        sum = total;
        if (options.minP() > 0) {
            keepUpTo(-StrictMath.log(options.minP()));
        }
    }

    private void typicalP() {
        if (options.typicalP() >= 1) {
            return;
        }
        double mean = meanDistance();
        for (int i = 0; i < result.count; i++) {
            keys[i] = Math.abs(distances[i] - mean); // the logarithm of the sum is in surprise and entropy alike
        }
        prefix.find(keys, result.probabilities, result.count, options.typicalP() * sum);
        for (int i = 0; i < result.count; i++) {
            if (!prefix.containsOrTies(keys[i])) {
                result.probabilities[i] = 0;
            }
        }
        removeZeros();
    }

    private void epsilonAndEta() {
        if (options.epsilonCutoff() > 0) {
            keepUpTo(-StrictMath.log(options.epsilonCutoff() * sum));
        }
        if (options.etaCutoff() > 0) {
            double eta = options.etaCutoff();
            double entropy = StrictMath.log(sum) + meanDistance();
            double least = Math.min(eta, Math.sqrt(eta) * StrictMath.exp(-entropy));
            keepUpTo(-StrictMath.log(least * sum));
        }
    }

    private void excludeTopChoices(Xtc xtc) {
        double most = -StrictMath.log(xtc.threshold() * sum); // the distance of the threshold
        int spared = -1;
        for (int i = 0; i < result.count; i++) {
            if (distances[i] <= most && (spared < 0 || distances[i] >= distances[spared])) {
                spared = i;
            }
        }
        for (int i = 0; i < result.count; i++) {
            if (i != spared && distances[i] <= most) {
                result.probabilities[i] = 0;
            }
        }
        removeZeros();
    }

    /** The mean of the distances over the distribution, in nats: the entropy less the logarithm of the sum. */
    private double meanDistance() {
        double moment = 0;
        for (int i = 0; i < result.count; i++) {
            moment += result.probabilities[i] * distances[i];
        }
        return moment / sum;
    }

    /** Keeps the tokens whose distance is at most {@code most}, and the best of those left in any case. */
    private void keepUpTo(double most) {
        double limit = Double.POSITIVE_INFINITY;
        for (int i = 0; i < result.count; i++) {
            limit = Math.min(limit, distances[i]);
        }
        limit = Math.max(limit, most);
        for (int i = 0; i < result.count; i++) {
            if (distances[i] > limit) {
                result.probabilities[i] = 0;
            }
        }
        removeZeros();
    }

    /** Removes the tokens whose weight was set to 0. */
    private void removeZeros() {
        double total = 0;
        int count = 0;
        for (int i = 0; i < result.count; i++) { // without a branch, which would often be mispredicted
            double weight = result.probabilities[i];
            result.put(count, result.ids[i], weight);
            distances[count] = distances[i];
            total += weight;
            count += weight > 0 ? 1 : 0;
        }
        result.count = count;
        sum = total;
    }

    private void reserve(int size) {
        result.reserve(size);
        if (distances.length < size) {
            distances = new double[size];
            keys = new double[size];
        }
    }
}
