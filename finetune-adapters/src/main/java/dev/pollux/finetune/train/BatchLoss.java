package dev.pollux.finetune.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The loss of a micro-batch with its gradients. <em>Confined to one thread.</em>
 */
final class BatchLoss {

    private final ScoredBatch batch;
    private final List<double[]> gradients = new ArrayList<>();
    private final List<double[]> divergences = new ArrayList<>();
    private final Map<String, Double> metrics = new LinkedHashMap<>();
    private double loss;

    BatchLoss(ScoredBatch batch) {
        this.batch = batch;
        batch.sequences().forEach(one -> {
            gradients.add(new double[one.tokens()]);
            divergences.add(new double[one.tokens()]);
        });
    }

    double loss() {
        return loss;
    }

    /** dL/dlog p of each scored token of each sequence. */
    List<double[]> gradients() {
        return gradients;
    }

    /** dL/dD of the divergence of each scored token of each sequence from a teacher. */
    List<double[]> divergences() {
        return divergences;
    }

    /** Measures with the names of TRL. */
    Map<String, Double> metrics() {
        return metrics;
    }

    void add(double more) {
        loss += more;
    }

    void metric(String name, double value) {
        metrics.put(name, value);
    }

    /** Adds the same gradient for every token of a sequence's completion. */
    void addGradient(int sequence, double each) {
        ScoredSequence one = batch.sequences().get(sequence);
        double[] own = gradients.get(sequence);
        for (int i = 0; i < own.length; i++) {
            own[i] += one.completion()[i] ? each : 0;
        }
    }

    /** The mean entropy over the completions. */
    void entropy() {
        metric("entropy", mean(batch.sequences(), one -> one.sum(one.entropies())));
    }

    /** The mean of a sum over tokens of completions; 0 if there are none. */
    static double mean(List<ScoredSequence> sequences, ToDoubleFunction<ScoredSequence> sum) {
        double all = 0;
        long tokens = 0;
        for (ScoredSequence one : sequences) {
            all += sum.applyAsDouble(one);
            tokens += one.length();
        }
        return tokens == 0 ? 0 : all / tokens;
    }

    /** rewards/… of pairs. */
    void rewards(double[] chosen, double[] rejected) {
        double hits = 0;
        double first = 0;
        double second = 0;
        for (int i = 0; i < chosen.length; i++) {
            hits += chosen[i] > rejected[i] ? 1 : 0;
            first += chosen[i];
            second += rejected[i];
        }
        metric("rewards/chosen", first / chosen.length);
        metric("rewards/rejected", second / chosen.length);
        metric("rewards/accuracies", hits / chosen.length);
        metric("rewards/margins", (first - second) / chosen.length);
    }
}
