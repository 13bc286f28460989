package dev.pollux.inference.encoder.export;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Puts stored tensors into a graph as 32-bit floats, each once; they are read some rows at a time when it is written. */
final class WeightStore {

    private static final int STEP = 1 << 20; // elements read at a time
    private static final int MAX_ELEMENTS = Integer.MAX_VALUE / Float.BYTES - 8;
    private static final int MAPPED = 1 << 30; // bytes that a tensor file maps at a time

    private final GraphBuilder graph;
    private final StoredTensors tensors;
    private final Map<String, Value> added = new HashMap<>();

    WeightStore(GraphBuilder graph, StoredTensors tensors) {
        this.graph = graph;
        this.tensors = tensors;
    }

    /** A table as it is stored, (rows, width). */
    Value table(String name, int rows, int width) {
        return asStored(tensors.require(name, rows, width), rows, width);
    }

    /** A convolution kernel as it is stored, (out, in, size). */
    Value kernel(String name, int out, int in, int size) {
        return asStored(tensors.require(name, out, in, size), out, in, size);
    }

    private Value asStored(TensorInfo info, long... shape) {
        return once(info.name(), ElementType.FLOAT, sink -> writeStored(info, sink), shape);
    }

    private void writeStored(TensorInfo info, Consumer<ByteBuffer> sink) {
        if (info.type() == DType.F32 && info.byteLength() <= MAPPED) {
            sink.accept(tensors.file().bytes(info.name(), 0, (int) info.byteLength()));
            return;
        }
        for (long first = 0; first < info.elements(); first += STEP) {
            int count = (int) Math.min(STEP, info.elements() - first);
            ByteBuffer piece = ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            piece.asFloatBuffer().put(tensors.file().floats(info.name(), first, count));
            sink.accept(piece);
        }
    }

    /** A vector as it is stored. */
    Value vector(String name, int width) {
        TensorInfo info = tensors.require(name, width);
        return floats(info.name(), () -> tensors.file().floats(info.name()), width);
    }

    /** Weights of linear layers, stacked and transposed: (in, Σ rows). */
    Value transposed(int in, int[] rows, List<String> layers) {
        List<TensorInfo> parts = require(in, rows, layers);
        int out = Arrays.stream(rows).reduce(0, Math::addExact);
        WeightSource source = WeightSource.of(() -> {
            ByteBuffer bytes = ByteBuffer.allocate(in * out * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            FloatBuffer target = bytes.asFloatBuffer();
            int row = 0;
            for (TensorInfo part : parts) {
                row = transpose(part, target, row, out);
            }
            return bytes;
        });
        return once(joined(parts), ElementType.FLOAT, source, in, out);
    }

    private List<TensorInfo> require(int in, int[] rows, List<String> layers) {
        List<TensorInfo> parts = new ArrayList<>();
        for (int i = 0; i < rows.length; i++) {
            parts.add(tensors.require(layers.get(i) + ".weight", rows[i], in));
        }
        return parts;
    }

    private static String joined(List<TensorInfo> parts) {
        return String.join("+", parts.stream().map(TensorInfo::name).toList());
    }

    /** Codes and scales of stacked matrices, which are made together: the scales are taken right after the codes. */
    private final class Rounded {

        private final List<TensorInfo> parts;
        private final int in;
        private final int out;
        private float @Nullable [] scales;

        Rounded(List<TensorInfo> parts, int in, int out) {
            this.parts = parts;
            this.in = in;
            this.out = out;
        }

        ByteBuffer codes() {
            float[] made = new float[out];
            byte[] bytes = new byte[Math.multiplyExact(in, out)];
            int column = 0;
            for (TensorInfo part : parts) {
                column = round(part, bytes, made, column);
            }
            scales = made;
            return ByteBuffer.wrap(bytes);
        }

        float[] scales() {
            if (scales == null) {
                codes();
            }
            float[] made = java.util.Objects.requireNonNull(scales);
            scales = null;
            return made;
        }
    }

    /**
     * Weights of linear layers, stacked, transposed and rounded to 8 bits with one scale a row: codes (in, Σ rows) and
     * scales (Σ rows).
     */
    List<Value> rounded(int in, int[] rows, List<String> layers) {
        List<TensorInfo> parts = require(in, rows, layers);
        int out = Arrays.stream(rows).reduce(0, Math::addExact);
        Rounded rounded = new Rounded(parts, in, out);
        String name = joined(parts);
        Value codes = once(name + ".codes", ElementType.INT8, WeightSource.of(rounded::codes), in, out);
        return List.of(codes, floats(name + ".scales", rounded::scales, out));
    }

    /** Rounds (rows, in) to nearest, the largest of a row at ±127, into columns from {@code column} on. */
    private int round(TensorInfo info, byte[] codes, float[] scales, int column) {
        int rows = info.dim(0);
        int in = info.dim(1);
        int step = Math.max(1, STEP / in);
        for (int first = 0; first < rows; first += step) {
            int count = Math.min(step, rows - first);
            float[] some = tensors.file().floats(info.name(), (long) first * in, count * in); // (count, in)
            float[] inverse = new float[count];
            for (int r = 0; r < count; r++) {
                float largest = 0;
                for (int i = 0; i < in; i++) {
                    largest = Math.max(largest, Math.abs(some[r * in + i]));
                }
                scales[column + first + r] = largest / 127;
                inverse[r] = largest == 0 ? 0 : 127 / largest;
            }
            for (int i = 0; i < in; i++) {
                int at = i * scales.length + column + first;
                for (int r = 0; r < count; r++) {
                    codes[at + r] = (byte) Math.round(some[r * in + i] * inverse[r]);
                }
            }
        }
        return column + rows;
    }

    /** Puts (rows, in) into columns of (in, out) from {@code column} on, and returns the next column. */
    private int transpose(TensorInfo info, FloatBuffer target, int column, int out) {
        int rows = info.dim(0);
        int in = info.dim(1);
        int step = Math.max(1, STEP / in);
        for (int first = 0; first < rows; first += step) {
            int count = Math.min(step, rows - first);
            float[] some = tensors.file().floats(info.name(), (long) first * in, count * in); // (count, in)
            for (int i = 0; i < in; i++) {
                int at = i * out + column + first;
                for (int r = 0; r < count; r++) {
                    target.put(at + r, some[r * in + i]);
                }
            }
        }
        return column + rows;
    }

    /** Biases of linear layers, stacked. */
    Value bias(int[] rows, List<String> layers) {
        List<TensorInfo> parts = new ArrayList<>();
        for (int i = 0; i < rows.length; i++) {
            parts.add(tensors.require(layers.get(i) + ".bias", rows[i]));
        }
        int out = Arrays.stream(rows).reduce(0, Math::addExact);
        return floats(
                tensors.full(String.join("+", layers)) + ".bias",
                () -> {
                    float[] bias = new float[out];
                    int at = 0;
                    for (TensorInfo part : parts) {
                        float[] values = tensors.file().floats(part.name());
                        System.arraycopy(values, 0, bias, at, values.length);
                        at += values.length;
                    }
                    return bias;
                },
                out);
    }

    private Value floats(String name, Supplier<float[]> values, long... shape) {
        return once(name, ElementType.FLOAT, WeightSource.floats(values), shape);
    }

    private Value once(String name, ElementType type, WeightSource source, long... shape) {
        Value known = added.get(name);
        if (known == null) {
            Weight weight = new Weight(name, type, Shape.of(shape), source);
            requireFits(weight.bytes() / Float.BYTES);
            known = graph.weight(weight);
            added.put(name, known);
        }
        return known;
    }

    private static void requireFits(long elements) {
        if (elements > MAX_ELEMENTS) {
            throw new UnsupportedModelException("A tensor of an encoder must have at most " + MAX_ELEMENTS
                    + " elements but one has " + elements + "; use a smaller model");
        }
    }
}
