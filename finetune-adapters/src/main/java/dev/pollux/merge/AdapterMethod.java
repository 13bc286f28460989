package dev.pollux.merge;

/**
 * How LoRA adapters become one, without the matrices they change. Notation: adapter i of N changes a matrix by s<sub>i</sub>
 * B<sub>i</sub>A<sub>i</sub>, s<sub>i</sub> its scale (α/r) and r its rank; w<sub>i</sub> is its weight. An adapter that does not
 * change a matrix is left out there. Calculations are in 64-bit floats. <em>Immutable.</em>
 */
public sealed interface AdapterMethod {

    /**
     * B = [w<sub>1</sub>s<sub>1</sub>B<sub>1</sub> …], A = [A<sub>1</sub>; …]: exactly Σ w<sub>i</sub>s<sub>i</sub>B<sub>i</sub>A<sub>i</sub>,
     * of rank Σ r<sub>i</sub>. <em>Immutable.</em>
     */
    record Concatenated() implements AdapterMethod {}

    /**
     * The factors themselves are merged: with c<sub>i</sub> = √(w<sub>i</sub>s<sub>i</sub>), A and B are each made of A<sub>i</sub>
     * and B<sub>i</sub> as PEFT's {@code add_weighted_adapter} does. All ranks must be equal, and weights not negative. Products
     * of different adapters' factors come in; {@link CoreSpace} has none of these. <em>Immutable.</em>
     *
     * @param density of the elements of each factor that are kept, in (0, 1]
     * @param thinning how they are chosen
     * @param electSigns whether only elements of the sign of the factors' sum count, and are averaged by their number (TIES)
     */
    record OnFactors(double density, Thinning thinning, boolean electSigns) implements AdapterMethod {

        /** The weighted sum of the factors, PEFT's {@code linear}. */
        public static final OnFactors LINEAR = new OnFactors(1, Thinning.MAGNITUDE, false);

        public OnFactors {
            checkDensity(density);
        }
    }

    /**
     * Core Space (Panariello et al., "Accurate and efficient low-rank model merging in core space", arXiv 2509.17786): the left
     * singular vectors U of [s<sub>i</sub>B<sub>i</sub> …] and the right ones V of [A<sub>i</sub>; …] span all changes, which become M<sub>i</sub> =
     * (Uᵀs<sub>i</sub>B<sub>i</sub>)(A<sub>i</sub>V) without loss. The M<sub>i</sub> are merged like whole matrices, and UMVᵀ is cut to
     * the {@code rank} largest singular values. With density 1 and no election it is the sum, re-truncated by SVD.
     * <em>Immutable.</em>
     *
     * @param density of the elements of each M<sub>i</sub> that are kept by magnitude, in (0, 1]
     * @param electSigns whether signs are elected as TIES does, and what is left divided by its weights
     * @param rank of the result, from 1; where fewer are needed it is less
     */
    record CoreSpace(double density, boolean electSigns, int rank) implements AdapterMethod {
        public CoreSpace {
            checkDensity(density);
            if (rank < 1) {
                throw new IllegalArgumentException("rank must be at least 1 but was " + rank);
            }
        }

        /** The sum of all changes, cut to a rank. */
        public static CoreSpace truncated(int rank) {
            return new CoreSpace(1, false, rank);
        }
    }

    /** Which elements of a factor are kept. */
    enum Thinning {
        /** The largest magnitudes. */
        MAGNITUDE,
        /** Each with the same probability; kept ones are divided by it (DARE, arXiv 2311.03099). */
        RANDOM
    }

    private static void checkDensity(double density) {
        if (!(density > 0 && density <= 1)) {
            throw new IllegalArgumentException("density must be in (0, 1] but was " + density);
        }
    }
}
