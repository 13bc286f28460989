package dev.pollux.internal.math;

import java.util.Optional;

/**
 * The inner loops of merging, over elements [from, to) of arrays. All implementations give the same bits for magnitudes
 * below 2<sup>68</sup>, so results do not depend on the implementation. Larger magnitudes may become NaN in one and infinite
 * in another.
 */
public interface Kernels {

    /** The fastest implementation for this JVM; {@code -Dpollux.vector=false} selects the one without the Vector API. */
    Kernels BEST = vectorized("VectorKernels", Kernels.class, ScalarKernels.INSTANCE);

    /**
     * A class with the Vector API if the JVM was started with it, compiles it, and the processor's vectors are wide enough.
     *
     * @param name a class of this package
     * @param otherwise the implementation without the Vector API
     */
    static <K> K vectorized(String name, Class<K> type, K otherwise) {
        String how = System.getProperty("java.vm.info", "");
        Optional<Module> vector = ModuleLayer.boot().findModule("jdk.incubator.vector");
        boolean wanted = Boolean.parseBoolean(System.getProperty("pollux.vector", "true"));
        if (!wanted || vector.isEmpty() || how.contains("interpreted") || how.contains("emulated-client")) {
            return otherwise;
        }
        try {
            Kernels.class
                    .getModule()
                    .addReads(vector.get()); // a module-info that requires it would warn at each compilation
            // Compiled apart, since the module is not on every JVM's path: no code may name the class.
            return Class.forName("dev.pollux.internal.math." + name)
                    .asSubclass(type)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException | LinkageError e) {
            return otherwise;
        }
    }

    /** into[at + j] = the float of the bfloat16 from[j]. */
    void decode(short[] from, int count, float[] into, int at);

    /** into[j] = values[at + j], rounded to the nearest bfloat16, ties to even; a NaN stays one. */
    void encode(float[] values, int at, int count, short[] into);

    /** into = c·x. */
    void scale(float[] x, float c, float[] into, int from, int to);

    /** into += c·x. */
    void add(float[] x, float c, float[] into, int from, int to);

    /** into = x + c·d. */
    void addTo(float[] x, float c, float[] d, float[] into, int from, int to);

    /** into = a − b. */
    void subtract(float[] a, float[] b, float[] into, int from, int to);

    /** Σ a·b, in eight 64-bit sums of every eighth product. */
    double dot(float[] a, float[] b, int from, int to);

    /** Σ |x|, in eight 64-bit sums as {@link #dot}. */
    double magnitude(float[] x, int from, int to);

    /**
     * How many of x have the magnitude {@code value}.
     *
     * @param some (≥ to), overwritten
     */
    int equal(float[] x, float value, float[] some, int from, int to);

    /**
     * Finds those of x whose bits without the sign are in [least, least + width).
     *
     * @param width in [1, 2<sup>31</sup> − least]
     * @param found (≥ to − from) gets by how much each is above {@code least}, in order
     * @return how many were found, and 2<sup>32</sup> times how many are below {@code least}
     */
    long find(float[] x, int least, int width, int[] found, int from, int to);

    /** How many of x are not 0. */
    int nonZero(float[] x, int from, int to);

    /** Sets those of x to 0 whose magnitude is not above {@code limit}, which is from 0. */
    void prune(float[] x, float limit, int from, int to);

    /**
     * Random numbers to compare: number first + j of stream {@code key} belongs to x[j]; see {@link CounterRandom}.
     *
     * @param limit an element is kept if its number is below
     */
    record Draw(long key, long first, long limit) {}

    /**
     * Sets x[j] to 0 unless its random number is below the limit.
     *
     * @param some (≥ to), may be overwritten
     */
    void prune(float[] x, Draw draw, long[] some, int from, int to);

    /** Adds D = c·x: sum += D and size += |D|. */
    void vote(float[] x, float c, float[] sum, float[] size, int from, int to);

    /** Adds D = c·x and its weight. */
    void vote(float[] x, float c, float w, SignVotes votes, int from, int to);

    /** sum = the sum of what was added with the sign of {@code sum}, 0 counting as +. */
    void elect(float[] sum, float[] size, int from, int to);

    /** As {@link #elect}, divided by the sum of the weights that were added with that sign; by 1 where it is 0. */
    void electMean(SignVotes votes, int from, int to);

    /** conflicts += 1 where both signs were added. */
    void conflicts(float[] weightSum, float[] weightSize, float[] conflicts, int from, int to);
}
