package dev.pollux.inference.internal.masked;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The matrices of an architecture in a graph, each once, under the names that they have in the checkpoint. */
public final class MaskedWeights {

    private static final int MAX_ELEMENTS = Integer.MAX_VALUE / Float.BYTES - 8;
    private static final String WEIGHT = ".weight";

    private final GraphBuilder graph;
    private final TensorFile tensors;
    private final String prefix; // what names of the base model's tensors begin with in the checkpoint
    private final Map<String, Value> added = new HashMap<>();

    public MaskedWeights(GraphBuilder graph, TensorFile tensors, String prefix) {
        this.graph = graph;
        this.tensors = tensors;
        this.prefix = prefix;
    }

    private List<String> stored(StackedMatrix matrix) {
        return matrix.names().stream().map(name -> tensors.info(name).name()).toList();
    }

    /** 32-bit floats, (rows, columns). */
    public Value table(StackedMatrix matrix) {
        return once(
                String.join("+", stored(matrix)),
                ElementType.FLOAT,
                WeightSource.floats(() -> plain(matrix)),
                matrix.rows(),
                matrix.columns());
    }

    private static float[] plain(StackedMatrix matrix) {
        float[] values = new float[Math.multiplyExact(matrix.rows(), matrix.columns())];
        matrix.floats((first, rows, type) -> System.arraycopy(rows, 0, values, first * matrix.columns(), rows.length));
        return values;
    }

    /** 32-bit floats, (columns, rows). */
    public Value transposed(StackedMatrix matrix) {
        return once(
                String.join("+", stored(matrix)),
                ElementType.FLOAT,
                WeightSource.floats(matrix::transposed),
                matrix.columns(),
                matrix.rows());
    }

    /** Codes (columns, rows) and scales (rows) of a matrix rounded to 8 bits. */
    public List<Value> rounded(StackedMatrix matrix) {
        Rounded rounded = new Rounded(matrix);
        String name = String.join("+", stored(matrix));
        Value codes = once(
                name + ".codes", ElementType.INT8, WeightSource.of(rounded::codes), matrix.columns(), matrix.rows());
        return List.of(codes, floats(name + ".scales", rounded::scales, matrix.rows()));
    }

    /** Codes and scales, which are made together: the scales are taken right after the codes. */
    private static final class Rounded {

        private final StackedMatrix matrix;
        private float @Nullable [] scales;

        Rounded(StackedMatrix matrix) {
            this.matrix = matrix;
        }

        /** Each row rounded to nearest, its largest at ±127. */
        ByteBuffer codes() {
            int in = matrix.columns();
            int out = matrix.rows();
            float[] made = new float[out];
            byte[] codes = new byte[Math.multiplyExact(in, out)];
            matrix.floats((first, some, type) -> {
                int rows = some.length / in;
                float[] inverse = new float[rows];
                for (int r = 0; r < rows; r++) {
                    float largest = 0;
                    for (int i = 0; i < in; i++) {
                        largest = Math.max(largest, Math.abs(some[r * in + i]));
                    }
                    made[first + r] = largest / 127;
                    inverse[r] = largest == 0 ? 0 : 127 / largest;
                }
                for (int i = 0; i < in; i++) { // the rows inside: their codes are neighbours
                    int at = i * out + first;
                    for (int r = 0; r < rows; r++) {
                        codes[at + r] = (byte) Math.round(some[r * in + i] * inverse[r]);
                    }
                }
            });
            scales = made;
            return ByteBuffer.wrap(codes);
        }

        float[] scales() {
            if (scales == null) {
                codes();
            }
            float[] made = Objects.requireNonNull(scales);
            scales = null;
            return made;
        }
    }

    /** The stacked biases stored with a matrix, zeros where a part has none; empty where none has. */
    public Optional<Value> bias(StackedMatrix matrix) {
        List<String> biases = matrix.names().stream()
                .map(name -> name.replace(WEIGHT, ".bias"))
                .toList();
        if (biases.stream().noneMatch(tensors.tensors()::containsKey)) {
            return Optional.empty();
        }
        biases.stream().filter(tensors.tensors()::containsKey).forEach(tensors::info); // so that they count as read
        List<Integer> rows = matrix.rowsOfParts();
        return Optional.of(floats(biasName(matrix), () -> stacked(biases, rows), matrix.rows()));
    }

    /** The layers' names with what all begin with said once. */
    private String biasName(StackedMatrix matrix) {
        List<String> layers = stored(matrix).stream()
                .map(name -> name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name)
                .toList();
        List<String> parts = IntStream.range(0, layers.size())
                .mapToObj(i -> i > 0 && layers.get(i).startsWith(prefix)
                        ? layers.get(i).substring(prefix.length())
                        : layers.get(i))
                .toList();
        return String.join("+", parts) + ".bias";
    }

    private float[] stacked(List<String> biases, List<Integer> rows) {
        float[] bias = new float[rows.stream().mapToInt(Integer::intValue).sum()];
        int at = 0;
        for (int i = 0; i < biases.size(); i++) {
            if (tensors.tensors().containsKey(biases.get(i))) {
                float[] part = tensors.floats(biases.get(i));
                System.arraycopy(part, 0, bias, at, part.length);
            }
            at += rows.get(i);
        }
        return bias;
    }

    /** A norm's weight under the name that it has in the checkpoint. */
    public Value norm(String weight, Supplier<float[]> values, int width) {
        return floats(tensors.info(weight).name(), values, width);
    }

    /** Floats, once for all that use this name. */
    public Value floats(String name, Supplier<float[]> values, long... shape) {
        return once(name, ElementType.FLOAT, WeightSource.floats(values), shape);
    }

    private Value once(String name, ElementType type, WeightSource source, long... shape) {
        Value known = added.get(name);
        if (known == null) {
            Weight weight = new Weight(name, type, Shape.of(shape), source);
            if (weight.elements() > MAX_ELEMENTS) {
                throw new UnsupportedModelException("A tensor of an encoder must have at most " + MAX_ELEMENTS
                        + " elements but one has " + weight.elements() + "; use a smaller model");
            }
            known = graph.weight(weight);
            added.put(name, known);
        }
        return known;
    }
}
