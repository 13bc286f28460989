package dev.pollux.inference.quantize;

import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How much a decoder loses by fewer bits in each of its matrices, as {@link SensitivityProbe} measured it. <em>Immutable.</em>
 *
 * <pre>{@code
 * Sensitivity sensitivity = SensitivityProbe.of(QuantizerOptions.DEFAULTS).measure(model, recipe, text).run();
 * PrecisionPlan plan = sensitivity.choose(new PrecisionBudget.Bytes(100_000_000));
 * quantizer.quantize(model, target, plan.recipe()).run();
 * }</pre>
 */
public final class Sensitivity {

    private static final int POINTS = 12;

    private final QuantizationRecipe recipe;
    private final List<PrecisionCurve> curves;
    private final long rest;
    private final double together;
    private final int tokens;

    /**
     * @param rest bytes of all weights that are not in {@code curves}, and of the gaps between weights
     * @param together the loss of all groups together ÷ the sum of the losses of single groups
     */
    Sensitivity(QuantizationRecipe recipe, List<PrecisionCurve> curves, long rest, double together, int tokens) {
        this.recipe = recipe;
        this.curves = List.copyOf(curves);
        this.rest = rest;
        this.together = together;
        this.tokens = tokens;
    }

    /** The number of tokens on which it was measured. */
    public int tokens() {
        return tokens;
    }

    /** The loss of all matrices together ÷ the sum of the losses of single ones; predictions are multiplied by it. */
    public double together() {
        return together;
    }

    /**
     * Chooses bits and block size of each matrix.
     *
     * @throws IllegalArgumentException if no choice keeps the budget
     */
    public PrecisionPlan choose(PrecisionBudget budget) {
        PrecisionAllocation allocation = new PrecisionAllocation(curves);
        if (budget instanceof PrecisionBudget.Bytes bytes) {
            long smallest = rest + allocation.bytes();
            if (!allocation.within(bytes.most() - rest)) {
                throw new IllegalArgumentException("The budget must be at least " + smallest
                        + " bytes, which the smallest form takes, but was " + bytes.most()
                        + "; give more bytes, or fewer bits to the head");
            }
        } else if (budget instanceof PrecisionBudget.Divergence kl && !allocation.losing(kl.most() / together)) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "The largest KL must be at least %.3g, which the largest form loses, but was %s; allow more, or keep"
                            + " weights in float with a rule",
                    allocation.kl() * together,
                    kl.most()));
        }
        return plan(allocation);
    }

    private PrecisionPlan plan(PrecisionAllocation allocation) {
        QuantizationRecipe.Builder chosen = recipe.toBuilder();
        List<PrecisionPlan.Choice> choices = new ArrayList<>();
        for (int group = 0; group < curves.size(); group++) {
            PrecisionCurve.Form form = allocation.form(group);
            List<String> matrices = curves.get(group).matrices();
            matrices.forEach(name -> chosen.rule(new Rule(name, form.bits(), form.blockSize())));
            choices.add(new PrecisionPlan.Choice(matrices, form.bits(), form.blockSize(), form.bytes(), form.kl()));
        }
        return new PrecisionPlan(
                chosen.build(),
                choices,
                PrecisionAllocation.points(curves, POINTS, rest, together),
                rest + allocation.bytes(),
                together * allocation.kl());
    }

    /** A short summary. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "Sensitivity[%d groups, %d tokens, together %.3f]", curves.size(), tokens, together);
    }
}
