package dev.pollux.finetune.internal.training;

import dev.pollux.tensor.StackedMatrix;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The matrices that an initialization takes out of the model: W becomes W − scale·B₀·A₀, so that the first step begins with the
 * unchanged model. <em>Immutable.</em>
 */
public final class Residuals {

    /** No matrix is changed. */
    public static final Residuals NONE = new Residuals(List.of());

    private final Map<String, LoraModule> first = new LinkedHashMap<>();

    /** @param first the factors before the first step, whose product is taken out of their matrices */
    public Residuals(Collection<LoraModule> first) {
        first.forEach(module -> this.first.put(module.tensor(), module.copy()));
    }

    /** The factors before the first step. */
    public Collection<LoraModule> modules() {
        return first.values();
    }

    /** Whether no matrix is changed. */
    public boolean isEmpty() {
        return first.isEmpty();
    }

    /** The change of each matrix of layers, by its name in graphs. */
    Map<String, UnaryOperator<float[]>> changes(List<StackedMatrix> matrices) {
        Map<String, UnaryOperator<float[]>> changes = new HashMap<>();
        for (StackedMatrix matrix : matrices) {
            if (matrix.names().stream().anyMatch(first::containsKey)) {
                changes.put(String.join("+", matrix.names()), values -> reduced(matrix, values));
            }
        }
        return changes;
    }

    /** The same for graphs that have the matrices transposed, (columns, rows). */
    Map<String, UnaryOperator<float[]>> transposedChanges(List<StackedMatrix> matrices) {
        Map<String, UnaryOperator<float[]>> changes = new HashMap<>();
        changes(matrices).forEach((name, change) -> {
            int columns = matrices.stream()
                    .filter(matrix -> String.join("+", matrix.names()).equals(name))
                    .findFirst()
                    .orElseThrow()
                    .columns();
            changes.put(name, values -> {
                int rows = values.length / columns;
                return turned(change.apply(turned(values, columns, rows)), rows, columns);
            });
        });
        return changes;
    }

    /** The transpose of (rows, columns). */
    private static float[] turned(float[] values, int rows, int columns) {
        float[] turned = new float[values.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                turned[column * rows + row] = values[row * columns + column];
            }
        }
        return turned;
    }

    private float[] reduced(StackedMatrix matrix, float[] values) {
        int row = 0;
        for (int i = 0; i < matrix.names().size(); i++) {
            LoraModule module = first.get(matrix.names().get(i));
            if (module != null) {
                subtract(module, values, row * matrix.columns());
            }
            row += matrix.rowsOfParts().get(i);
        }
        return values;
    }

    private static void subtract(LoraModule module, float[] values, int from) {
        int columns = module.columns();
        int rank = module.rank();
        float[] a = module.a().values(); // (rank, columns)
        float[] b = module.b().values(); // (rows, rank)
        double[] sum = new double[columns];
        for (int row = 0; row < module.rows(); row++) {
            Arrays.fill(sum, 0);
            for (int i = 0; i < rank; i++) {
                double factor = b[row * rank + i];
                for (int j = 0; j < columns; j++) {
                    sum[j] += factor * a[i * columns + j];
                }
            }
            for (int j = 0; j < columns; j++) {
                values[from + row * columns + j] -= (float) (module.scale() * sum[j]);
            }
        }
    }
}
