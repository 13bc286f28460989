package dev.pollux.inference.quantize;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The forms that a group of matrices can have, on the lower convex hull of loss over bytes: from the fewest bytes to the least
 * loss, each step gains less per byte than the one before. <em>Immutable.</em>
 *
 * @param matrices the names of the weights
 * @param elements the number of weights
 * @param forms the forms on the hull, at least one
 */
record PrecisionCurve(List<String> matrices, long elements, List<Form> forms) {

    PrecisionCurve {
        matrices = List.copyOf(matrices);
        forms = List.copyOf(forms);
    }

    /** @param kl the loss of the group in this form alone */
    record Form(int bits, int blockSize, long bytes, double kl) {}

    /** The hull of all forms. */
    static PrecisionCurve of(List<String> matrices, long elements, List<Form> all) {
        List<Form> sorted = all.stream()
                .sorted(Comparator.comparingLong(Form::bytes).thenComparingDouble(Form::kl))
                .toList();
        List<Form> hull = new ArrayList<>();
        for (Form form : sorted) {
            if (!hull.isEmpty() && form.kl() >= hull.get(hull.size() - 1).kl()) {
                continue;
            }
            if (!hull.isEmpty() && form.bytes() == hull.get(hull.size() - 1).bytes()) {
                hull.remove(hull.size() - 1);
            }
            while (hull.size() > 1
                    && gain(hull.get(hull.size() - 2), hull.get(hull.size() - 1))
                            <= gain(hull.get(hull.size() - 1), form)) {
                hull.remove(hull.size() - 1);
            }
            hull.add(form);
        }
        return new PrecisionCurve(matrices, elements, hull);
    }

    /** The loss that each further byte saves. */
    static double gain(Form smaller, Form larger) {
        return (smaller.kl() - larger.kl()) / (larger.bytes() - smaller.bytes());
    }
}
