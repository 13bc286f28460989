package dev.pollux.inference.encoder.export;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.GraphWriter.Type;
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

/** Puts stored tensors into a graph as 32-bit floats, each once, some rows at a time. */
final class WeightStore {

    private static final int STEP = 1 << 20; // elements read at a time
    private static final int MAX_ELEMENTS = Integer.MAX_VALUE / Float.BYTES - 8;
    private static final int MAPPED = 1 << 30; // bytes that a tensor file maps at a time

    private final GraphWriter graph;
    private final StoredTensors tensors;
    private final Map<String, String> written = new HashMap<>();

    WeightStore(GraphWriter graph, StoredTensors tensors) {
        this.graph = graph;
        this.tensors = tensors;
    }

    /** A table as it is stored, (rows, width). */
    String table(String name, int rows, int width) {
        return asStored(tensors.require(name, rows, width), rows, width);
    }

    /** A convolution kernel as it is stored, (out, in, size). */
    String kernel(String name, int out, int in, int size) {
        return asStored(tensors.require(name, out, in, size), out, in, size);
    }

    private String asStored(TensorInfo info, long... shape) {
        return once(info.name(), info.elements(), value -> {
            if (info.type() == DType.F32 && info.byteLength() <= MAPPED) {
                graph.bytes(value, Type.FLOAT, tensors.file().bytes(info.name(), 0, (int) info.byteLength()), shape);
                return;
            }
            ByteBuffer bytes = buffer(info.elements());
            FloatBuffer floats = bytes.asFloatBuffer();
            for (long first = 0; first < info.elements(); first += STEP) {
                int count = (int) Math.min(STEP, info.elements() - first);
                floats.put(tensors.file().floats(info.name(), first, count));
            }
            graph.bytes(value, Type.FLOAT, bytes, shape);
        });
    }

    /** A vector, with {@code offset} added to each element. */
    String vector(String name, int width, float offset) {
        TensorInfo info = tensors.require(name, width);
        return once(info.name(), width, value -> {
            float[] values = tensors.file().floats(info.name());
            for (int i = 0; offset != 0 && i < width; i++) {
                values[i] += offset;
            }
            graph.floats(value, values, width);
        });
    }

    /** Weights of linear layers, stacked and transposed: (in, Σ rows). */
    String transposed(int in, int[] rows, List<String> layers) {
        List<TensorInfo> parts = require(in, rows, layers);
        int out = Arrays.stream(rows).reduce(0, Math::addExact);
        String name = String.join("+", parts.stream().map(TensorInfo::name).toList());
        return once(name, (long) in * out, value -> {
            ByteBuffer bytes = buffer((long) in * out);
            FloatBuffer target = bytes.asFloatBuffer();
            int row = 0;
            for (TensorInfo part : parts) {
                row = transpose(part, target, row, out);
            }
            graph.bytes(value, Type.FLOAT, bytes, in, out);
        });
    }

    private List<TensorInfo> require(int in, int[] rows, List<String> layers) {
        List<TensorInfo> parts = new ArrayList<>();
        for (int i = 0; i < rows.length; i++) {
            parts.add(tensors.require(layers.get(i) + ".weight", rows[i], in));
        }
        return parts;
    }

    /**
     * Weights of linear layers, stacked, transposed and rounded to 8 bits with one scale a row: codes (in, Σ rows) and
     * scales (Σ rows).
     */
    List<String> rounded(int in, int[] rows, List<String> layers) {
        List<TensorInfo> parts = require(in, rows, layers);
        int out = Arrays.stream(rows).reduce(0, Math::addExact);
        String name = String.join("+", parts.stream().map(TensorInfo::name).toList());
        float[] scales = new float[out];
        String codes = once(name + ".codes", (long) in * out / Float.BYTES, value -> {
            byte[] bytes = new byte[Math.multiplyExact(in, out)];
            int column = 0;
            for (TensorInfo part : parts) {
                column = round(part, bytes, scales, column);
            }
            graph.bytes(value, Type.INT8, ByteBuffer.wrap(bytes), in, out);
        });
        return List.of(codes, once(name + ".scales", out, value -> graph.floats(value, scales, out)));
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
    String bias(int[] rows, List<String> layers) {
        float[] bias = new float[graph.isMeasuring() ? 0 : Arrays.stream(rows).sum()];
        int at = 0;
        int out = 0;
        for (int i = 0; i < rows.length; i++) {
            TensorInfo info = tensors.require(layers.get(i) + ".bias", rows[i]);
            if (!graph.isMeasuring()) {
                System.arraycopy(tensors.file().floats(info.name()), 0, bias, at, rows[i]);
                at += rows[i];
            }
            out = Math.addExact(out, rows[i]);
        }
        String name = tensors.full(String.join("+", layers)) + ".bias";
        return once(name, out, value -> graph.floats(value, bias, bias.length));
    }

    @FunctionalInterface
    private interface Write {
        void to(String value);
    }

    private String once(String name, long elements, Write write) {
        String known = written.get(name);
        if (known != null) {
            return known;
        }
        if (graph.isMeasuring()) {
            requireFits(elements);
            graph.reserve(elements * Float.BYTES);
        } else {
            write.to(name);
        }
        written.put(name, name);
        return name;
    }

    private static ByteBuffer buffer(long elements) {
        requireFits(elements);
        return ByteBuffer.allocate((int) elements * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void requireFits(long elements) {
        if (elements > MAX_ELEMENTS) {
            throw new UnsupportedModelException("A tensor of an encoder must have at most " + MAX_ELEMENTS
                    + " elements but one has " + elements + "; use a smaller model");
        }
    }
}
