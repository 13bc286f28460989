package dev.pollux.finetune.adapter;

/**
 * A method to merge LoRA adapters without their base matrices.
 *
 * <p>Notation: adapter i of N adds s<sub>i</sub>B<sub>i</sub>A<sub>i</sub> to a matrix, with scale s<sub>i</sub> = α/r, rank r
 * and weight w<sub>i</sub>. The merge of a matrix skips adapters that do not change it. Calculations are in 64-bit floats.
 * <em>Immutable.</em>
 */
public sealed interface AdapterMethod {

    /**
     * B = [w<sub>1</sub>s<sub>1</sub>B<sub>1</sub> …], A = [A<sub>1</sub>; …]. The product is exactly Σ
     * w<sub>i</sub>s<sub>i</sub> B<sub>i</sub>A<sub>i</sub>, of rank Σ r<sub>i</sub>. <em>Immutable.</em>
     */
    record Concatenated() implements AdapterMethod {}

    /**
     * Merges the factors themselves. With c<sub>i</sub> = √(w<sub>i</sub>s<sub>i</sub>), A merges the A<sub>i</sub> and B
     * merges the B<sub>i</sub>, as in PEFT's {@code add_weighted_adapter}. All ranks must be equal, and no weight may be
     * negative. The product BA contains cross terms B<sub>i</sub>A<sub>j</sub>, i ≠ j; {@link CoreSpace} avoids them.
     * <em>Immutable.</em>
     *
     * @param density the fraction of each factor's elements to keep, in (0, 1]
     * @param thinning how these elements are selected
     * @param electSigns whether to average only the elements with the sign of the factors' sum (TIES)
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
     * singular vectors U of [s<sub>i</sub>B<sub>i</sub> …] and the right ones V of [A<sub>i</sub>; …] span all changes. The
     * changes become M<sub>i</sub> = (Uᵀs<sub>i</sub>B<sub>i</sub>)(A<sub>i</sub>V) without loss. The M<sub>i</sub> are merged
     * like whole matrices, and UMVᵀ is truncated to the {@code rank} largest singular values. With density 1 and without sign
     * election, the result is the truncated SVD of the sum. <em>Immutable.</em>
     *
     * @param density the fraction of the elements of each M<sub>i</sub> to keep, largest magnitudes first, in (0, 1]
     * @param electSigns whether to elect signs as in TIES and to divide the remaining sum by its weights
     * @param rank the maximum rank of the result, ≥ 1; the actual rank is lower if that suffices
     */
    record CoreSpace(double density, boolean electSigns, int rank) implements AdapterMethod {
        public CoreSpace {
            checkDensity(density);
            if (rank < 1) {
                throw new IllegalArgumentException("rank must be at least 1 but was " + rank);
            }
        }

        /** Returns the method that truncates the sum of all changes to a rank. */
        public static CoreSpace truncated(int rank) {
            return new CoreSpace(1, false, rank);
        }
    }

    /** The selection of a factor's elements. */
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
