package dev.pollux.internal.math;

/**
 * Inner products of one query with many rows of a contiguous array: the loop of an exact scan of vectors. All implementations
 * give the same bits, so the order of hits does not depend on the implementation. <em>Stateless, thread-safe.</em>
 */
public interface DotKernels {

    /** The number of partial sums of a product of floats. */
    int LANES = 16;

    /** The fastest implementation for this JVM; {@code -Dpollux.vector=false} selects the one without the Vector API. */
    DotKernels BEST = Kernels.vectorized("VectorDotKernels", DotKernels.class, ScalarDotKernels.INSTANCE);

    /**
     * into[r] = Σ query[i] · rows[at + r·n + i], in {@value #LANES} sums of every sixteenth product, which are then added
     * pairwise: lane l and l + 8, l and l + 4, l and l + 2, l and l + 1; then the products of the last n mod 16 elements in
     * order. No fused multiply-add.
     *
     * @param query (n)
     * @param rows (≥ at + count · n)
     * @param into (≥ count)
     */
    void dots(float[] query, float[] rows, int at, int count, float[] into);

    /**
     * into[r] = Σ query[i] · rows[at + r·n + i], exactly.
     *
     * @param query (n) each in [-127, 127]
     * @param rows (≥ at + count · n) each in [-127, 127]
     * @param into (≥ count)
     */
    void dots(short[] query, byte[] rows, int at, int count, int[] into);

    /** The sum of the lanes in the order of {@link #dots(float[], float[], int, int, float[])}. */
    static float sum(float[] s, int at) {
        float t0 = s[at] + s[at + 8];
        float t1 = s[at + 1] + s[at + 9];
        float t2 = s[at + 2] + s[at + 10];
        float t3 = s[at + 3] + s[at + 11];
        float t4 = s[at + 4] + s[at + 12];
        float t5 = s[at + 5] + s[at + 13];
        float t6 = s[at + 6] + s[at + 14];
        float t7 = s[at + 7] + s[at + 15];
        return ((t0 + t4) + (t2 + t6)) + ((t1 + t5) + (t3 + t7));
    }
}
