package dev.pollux.merge;

/**
 * The loops that merging spends its time in, over the first {@code count} elements of arrays. All forms give the same bits,
 * so results do not depend on which one runs.
 */
interface Lanes {

    /** The fastest form for this JVM. */
    Lanes BEST = ScalarLanes.INSTANCE;

    /** into[at + j] = the float of the bfloat16 from[j]. */
    void decode(short[] from, int count, float[] into, int at);

    /** into[j] = values[at + j], rounded to the nearest bfloat16, ties to even; a NaN stays one. */
    void encode(float[] values, int at, int count, short[] into);

    /** into = c·x. */
    void scale(float[] x, float c, float[] into, int count);

    /** into += c·x. */
    void add(float[] x, float c, float[] into, int count);

    /** into = x + c·d. */
    void addTo(float[] x, float c, float[] d, float[] into, int count);

    /** into = a − b. */
    void subtract(float[] a, float[] b, float[] into, int count);

    /** sums += a·b, element by element. */
    void multiply(float[] a, float[] b, float[] sums, int count);

    /** Σ a·b from {@code at} on, in eight 64-bit sums of every eighth product. */
    double dot(float[] a, float[] b, int at, int count);

    /** Σ |x|, in eight 64-bit sums as {@link #dot}. */
    double magnitude(float[] x, int count);

    /** How many of x have the magnitude {@code value}. */
    int equal(float[] x, float value, int count);

    /** How many of x are not 0. */
    int nonZero(float[] x, int count);

    /** Sets those of x to 0 whose magnitude is below {@code limit}, or at it unless {@code inclusive}. */
    void thin(float[] x, float limit, boolean inclusive, int count);

    /** Sets x[j] to 0 unless number first + j of stream {@code key} is below {@code limit}; see {@link CounterRandom}. */
    void thin(float[] x, long key, long first, long limit, int count);

    /** Adds D = c·x: sum += D and size += |D|. */
    void vote(float[] x, float c, float[] sum, float[] size, int count);

    /** Adds D = c·x and the weight w where D is not 0: as {@link #vote}, weightSum += w·sign(D), weightSize += w·|sign(D)|. */
    void vote(float[] x, float c, float w, float[] sum, float[] size, float[] weightSum, float[] weightSize, int count);

    /** sum = the sum of what was added with the sign of {@code sum}, 0 counting as +. */
    void elect(float[] sum, float[] size, int count);

    /** As {@link #elect}, divided by the sum of the weights that were added with that sign; by 1 where it is 0. */
    void electMean(float[] sum, float[] size, float[] weightSum, float[] weightSize, int count);

    /** conflicts += 1 where both signs were added. */
    void conflicts(float[] weightSum, float[] weightSize, float[] conflicts, int count);
}
