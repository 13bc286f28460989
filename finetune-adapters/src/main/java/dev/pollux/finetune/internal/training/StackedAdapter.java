package dev.pollux.finetune.internal.training;

import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The changes of the parts of a stacked matrix as the inputs of one pair of products. <em>Confined to one thread.</em> */
final class StackedAdapter {

    /*
     * A layer multiplies q, k and v, or gate and up, as one matrix. Their changes are one pair of factors, too:
     *
     *   A  the A of all parts, one below the other   (R, columns), R the sum of the ranks
     *   B  scaleᵢ·Bᵢ on the diagonal, zeros elsewhere (rows, R)
     *
     * so that y = x Wᵀ + (x Aᵀ) Bᵀ has two small products in place of two for each part and their concatenation. The zeros
     * cost R/rank times the product with B, which is small. Scales are in B, so one graph serves every scale. Rows of a part
     * without a change are zeros in B.
     */

    private final String name;
    private final StackedMatrix matrix;
    private final List<Placed> parts;
    private final int rank;

    /** A change with the places of its rows and of its rank in the stacked factors. */
    private record Placed(LoraModule module, int row, int low) {}

    /** @param modules by part; empty for a part that is not changed */
    StackedAdapter(StackedMatrix matrix, List<Optional<LoraModule>> modules) {
        this.name = String.join("+", matrix.names());
        this.matrix = matrix;
        this.parts = new ArrayList<>();
        int row = 0;
        int low = 0;
        for (int i = 0; i < modules.size(); i++) {
            if (modules.get(i).isPresent()) {
                LoraModule module = modules.get(i).get();
                parts.add(new Placed(module, row, low));
                low += module.rank();
            }
            row += matrix.rowsOfParts().get(i);
        }
        this.rank = low;
    }

    /** Whether it is one product, which DoRA is only if all parts have a magnitude. */
    boolean isOneProduct() {
        return !hasMagnitude() || parts.size() == matrix.names().size();
    }

    boolean hasMagnitude() {
        return parts.stream().anyMatch(part -> part.module.magnitude().isPresent());
    }

    boolean hasBias() {
        return parts.stream().anyMatch(part -> part.module.bias().isPresent());
    }

    /** The stacked A, (R, columns). */
    TrainedInput a() {
        int columns = matrix.columns();
        return new TrainedInput(
                name + ".lora.a",
                List.of((long) rank, (long) columns),
                (input, into) -> {
                    for (Placed part : parts) {
                        float[] own = part.module.a().values();
                        System.arraycopy(own, 0, into, part.low * columns, own.length);
                    }
                },
                (input, gradient) -> {
                    for (Placed part : parts) {
                        add(part.module.a().gradient(), gradient, part.low * columns, 1);
                    }
                });
    }

    /** The stacked B with its scales, (rows, R). */
    TrainedInput b() {
        return new TrainedInput(
                name + ".lora.b",
                List.of((long) matrix.rows(), (long) rank),
                (input, into) -> parts.forEach(part -> writeB(part, into)),
                (input, gradient) -> parts.forEach(part -> addB(part, gradient)));
    }

    private void writeB(Placed part, float[] into) {
        int own = part.module.rank();
        float[] values = part.module.b().values();
        float scale = (float) part.module.scale();
        for (int row = 0; row < part.module.rows(); row++) {
            int at = (part.row + row) * rank + part.low;
            for (int i = 0; i < own; i++) {
                into[at + i] = scale * values[row * own + i];
            }
        }
    }

    private void addB(Placed part, float[] gradient) {
        int own = part.module.rank();
        float[] sum = part.module.b().gradient();
        float scale = (float) part.module.scale();
        for (int row = 0; row < part.module.rows(); row++) {
            int at = (part.row + row) * rank + part.low;
            for (int i = 0; i < own; i++) {
                sum[row * own + i] += scale * gradient[at + i];
            }
        }
    }

    /** The biases of B with its scales, (rows). */
    TrainedInput bias() {
        return vector(".lora.bias", LoraModule::bias, true);
    }

    /** The lengths of the rows, (rows). */
    TrainedInput magnitude() {
        return vector(".lora.magnitude", LoraModule::magnitude, false);
    }

    private TrainedInput vector(String suffix, Function<LoraModule, Optional<Parameter>> of, boolean scaled) {
        return new TrainedInput(
                name + suffix,
                List.of((long) matrix.rows()),
                (input, into) -> parts.forEach(part -> of.apply(part.module).ifPresent(vector -> {
                    float scale = scaled ? (float) part.module.scale() : 1;
                    for (int i = 0; i < vector.values().length; i++) {
                        into[part.row + i] = scale * vector.values()[i];
                    }
                })),
                (input, gradient) -> parts.forEach(part -> of.apply(part.module)
                        .ifPresent(vector ->
                                add(vector.gradient(), gradient, part.row, scaled ? (float) part.module.scale() : 1))));
    }

    private static void add(float[] sum, float[] gradient, int from, float scale) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += scale * gradient[from + i];
        }
    }
}
