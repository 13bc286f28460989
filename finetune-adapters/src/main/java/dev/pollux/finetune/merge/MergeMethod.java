package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;
import dev.pollux.tensor.TensorSource;
import java.util.List;
import java.util.Optional;

/**
 * A method that merges several tensors into one, with its parameters for this tensor. <em>Immutable.</em>
 *
 * <p>Notation: θ<sub>0</sub> is the base's tensor, θ<sub>i</sub> that of model i of N, δ<sub>i</sub> = θ<sub>i</sub> −
 * θ<sub>0</sub>, w<sub>i</sub> a weight. Elements are 32-bit floats, sums 64-bit, and each result is rounded once. If a method
 * has a base, the base is the first source.
 */
sealed interface MergeMethod
        permits ArceeFusion,
                Breadcrumbs,
                Dare,
                Della,
                Fisher,
                Karcher,
                Linear,
                ModelStock,
                MultiSlerp,
                NearSwap,
                NuSlerp,
                Passthrough,
                Ram,
                RegMean,
                Sce,
                Slerp,
                TaskArithmetic,
                Ties {

    /** Whether {@link #merge} reads each source once, so caching decoded sources is useless. */
    default boolean readsOnce() {
        return false;
    }

    /**
     * Whether each source value contributes to the result, so a non-finite value shows there. For other methods, the sources
     * are checked on reading.
     */
    default boolean takesEveryValue() {
        return false;
    }

    /** Time per source element ÷ time per source element of {@link Linear}, as measured in docs/benchmarks.md. */
    double cost();

    /** The fraction of each non-base model's difference that is kept; empty if the method keeps all of it. */
    default List<Double> densities() {
        return List.of();
    }

    /** Whether a density keeps no element of a tensor with {@code elements} elements. */
    default boolean keepsNothing(double density, long elements) {
        return density == 0;
    }

    /**
     * Finds the additional statistics that the method needs. Returns empty and reports a problem if they are missing or do not
     * fit.
     */
    default Optional<WithStatistics> withStatistics(SideStatistics statistics) {
        return Optional.of(new WithStatistics(this, List.of()));
    }

    /**
     * A method and its statistics.
     *
     * @param method the method, which may be a substitute if there are no statistics
     * @param sources the statistics that it reads in windows: one per model, after the tensors of the models
     */
    record WithStatistics(MergeMethod method, List<TensorSource> sources) {
        public WithStatistics {
            sources = List.copyOf(sources);
        }
    }

    /** Merges one tensor, from the first element to the last. */
    void merge(TensorWindows in, TensorSink out);
}
