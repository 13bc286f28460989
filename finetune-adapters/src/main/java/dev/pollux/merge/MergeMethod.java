package dev.pollux.merge;

/**
 * How one tensor is made of several, with its parameters for this tensor. <em>Immutable.</em>
 *
 * <p>Notation: θ<sub>0</sub> is the base's tensor, θ<sub>i</sub> that of model i of N, δ<sub>i</sub> = θ<sub>i</sub> −
 * θ<sub>0</sub>, w<sub>i</sub> a weight. Elements are 32-bit floats, sums 64-bit, and each result is rounded once. Methods
 * with a base find it as the first source.
 */
public sealed interface MergeMethod
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

    /** Merges one tensor, from first element to last. */
    void merge(TensorWindows in, TensorSink out);
}
