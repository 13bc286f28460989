package dev.pollux.merge;

/**
 * How thinned-out differences δ<sub>i</sub> become one: D<sub>i</sub> = w<sub>i</sub>δ<sub>i</sub> and θ = θ<sub>0</sub> +
 * λ·Δ. <em>Immutable.</em>
 *
 * <p>Without an election Δ = Σ D<sub>i</sub>, divided by Σ w<sub>i</sub> if {@code normalize}. With one, each element's sign
 * is that of Σ D<sub>i</sub> (0 counts as +), and Δ = Σ D<sub>i</sub> over the models whose D<sub>i</sub> has that sign,
 * divided by the sum of their w<sub>i</sub> if {@code normalize}; an exact 0 has no sign.
 *
 * @param electSigns whether models that disagree with the majority are left out, element by element
 * @param normalize whether Δ is divided by the weights that went into it
 * @param lambda λ, finite
 * @param rescale whether what is kept of a δ is multiplied so that its sum of magnitudes is that of the whole δ
 */
record TaskSum(boolean electSigns, boolean normalize, double lambda, boolean rescale) {

    TaskSum {
        Weights.finite("lambda", lambda);
    }
}
