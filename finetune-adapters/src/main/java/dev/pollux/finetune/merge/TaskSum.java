package dev.pollux.finetune.merge;

/**
 * The sum of thinned differences δ<sub>i</sub>: D<sub>i</sub> = w<sub>i</sub>δ<sub>i</sub> and θ = θ<sub>0</sub> + λ·Δ.
 * <em>Immutable.</em>
 *
 * <p>Without sign election, Δ = Σ D<sub>i</sub>, divided by Σ w<sub>i</sub> if {@code normalize}. With sign election, each
 * element's sign is that of Σ D<sub>i</sub> (0 counts as +), and Δ = Σ D<sub>i</sub> over the models whose D<sub>i</sub> has
 * that sign, divided by the sum of their w<sub>i</sub> if {@code normalize}; an exact 0 has no sign.
 *
 * <p>Example with w = 1 and {@code normalize}: δ = (0.3, 0.1, −0.2) sums to 0.2, so the sign is + and Δ = (0.3 + 0.1)/2; −0.2
 * is left out.
 *
 * @param electSigns whether to leave out models with the opposite of the elected sign, element by element
 * @param normalize whether Δ is divided by the sum of its weights
 * @param lambda λ, finite
 * @param rescale whether the kept part of δ is multiplied by ‖δ‖₁ / ‖kept δ‖₁
 */
record TaskSum(boolean electSigns, boolean normalize, double lambda, boolean rescale) {

    TaskSum {
        Weights.finite("lambda", lambda);
    }
}
