package dev.pollux.merge;

import dev.pollux.tensor.TensorSink;
import dev.pollux.tensor.TensorSource;
import java.util.List;
import java.util.Optional;

/**
 * How one tensor is made of several, with its parameters for this tensor. <em>Immutable.</em>
 *
 * <p>Notation: θ<sub>0</sub> is the base's tensor, θ<sub>i</sub> that of model i of N, δ<sub>i</sub> = θ<sub>i</sub> −
 * θ<sub>0</sub>, w<sub>i</sub> a weight. Elements are 32-bit floats, sums 64-bit, and each result is rounded once. Methods
 * with a base get it as the first source.
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

    /** Whether {@link #merge} reads each source once, so that nothing is gained by keeping what was read. */
    default boolean readsOnce() {
        return false;
    }

    /**
     * Whether each value of the sources goes into the result, where one that is not finite shows. The sources of other methods
     * are looked at while they are read.
     */
    default boolean takesEveryValue() {
        return false;
    }

    /** The time that one element of one source takes, in multiples of that of {@link Linear}, as docs/benchmarks.md measures it. */
    double cost();

    /** For each model that is not the base, the share of its difference that is kept; empty if the method keeps all of it. */
    default List<Double> densities() {
        return List.of();
    }

    /** Whether a density keeps no element of a tensor of {@code elements}. */
    default boolean keepsNothing(double density, long elements) {
        return density == 0;
    }

    /** Finds the statistics that the method needs besides the tensors; empty, and a problem, if they are missing or do not fit. */
    default Optional<WithStatistics> withStatistics(SideStatistics statistics) {
        return Optional.of(new WithStatistics(this, List.of()));
    }

    /**
     * A method and its statistics.
     *
     * @param method which may be another one if there are no statistics
     * @param sources those that it reads in windows, one for each model, after the models' tensors
     */
    record WithStatistics(MergeMethod method, List<TensorSource> sources) {
        public WithStatistics {
            sources = List.copyOf(sources);
        }
    }

    /** Merges one tensor, from first element to last. */
    void merge(TensorWindows in, TensorSink out);
}
