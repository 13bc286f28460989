package dev.pollux.testkit;

import dev.pollux.tensor.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes small GGUF files (version 3, little-endian) for tests; it checks nothing, so that it can write damaged ones too.
 *
 * <p>Metadata values: {@code Integer} (u32), {@code Long} (u64), {@code Float}, {@code Double}, {@code Boolean},
 * {@code String}, and a {@code List} of one of these. <em>Not thread-safe: one thread at a time.</em>
 */
public final class GgufBuilder {

    private static final int ALIGNMENT = 32;

    private record Tensor(DType type, long[] shape, byte[] data) {}

    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** An empty file. */
    public GgufBuilder() {}

    /** Sets a value of the metadata. */
    public GgufBuilder put(String key, Object value) {
        metadata.put(key, value);
        return this;
    }

    /** Removes a value of the metadata. */
    public GgufBuilder without(String key) {
        metadata.remove(key);
        return this;
    }

    /** Sets a tensor; {@code shape} is slowest first, as everywhere outside GGUF. */
    public GgufBuilder tensor(String name, DType type, byte[] data, long... shape) {
        tensors.put(name, new Tensor(type, shape.clone(), data.clone()));
        return this;
    }

    /** Sets a tensor of type F32. */
    public GgufBuilder floats(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return tensor(name, DType.F32, bytes.array(), shape);
    }

    /** Removes a tensor. */
    public GgufBuilder withoutTensor(String name) {
        tensors.remove(name);
        return this;
    }

    /** The file. */
    public byte[] toBytes() {
        out.reset();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        number(3, 4);
        number(tensors.size(), 8);
        number(metadata.size(), 8);
        metadata.forEach((key, value) -> {
            string(key);
            number(typeOf(value), 4);
            value(value);
        });
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            string(entry.getKey());
            number(tensor.shape().length, 4);
            for (int i = tensor.shape().length - 1; i >= 0; i--) {
                number(tensor.shape()[i], 8);
            }
            number(tensor.type().ggufId(), 4);
            number(offset, 8);
            offset += (tensor.data().length + ALIGNMENT - 1L) / ALIGNMENT * ALIGNMENT;
        }
        for (Tensor tensor : tensors.values()) {
            pad();
            out.writeBytes(tensor.data());
        }
        pad();
        return out.toByteArray();
    }

    /** Writes the file. */
    public Path write(Path path) {
        try {
            return Files.write(path, toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int typeOf(Object value) {
        if (value instanceof Integer) {
            return 4;
        }
        if (value instanceof Float) {
            return 6;
        }
        if (value instanceof Boolean) {
            return 7;
        }
        if (value instanceof String) {
            return 8;
        }
        if (value instanceof List<?>) {
            return 9;
        }
        return value instanceof Long ? 10 : 12;
    }

    private void value(Object value) {
        if (value instanceof List<?> list) {
            number(list.isEmpty() ? 4 : typeOf(list.get(0)), 4);
            number(list.size(), 8);
            list.forEach(this::value);
        } else if (value instanceof String text) {
            string(text);
        } else if (value instanceof Boolean flag) {
            number(flag ? 1 : 0, 1);
        } else if (value instanceof Float number) {
            number(Float.floatToRawIntBits(number), 4);
        } else if (value instanceof Double number) {
            number(Double.doubleToRawLongBits(number), 8);
        } else if (value instanceof Integer number) {
            number(number, 4);
        } else {
            number((Long) value, 8);
        }
    }

    private void string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        number(utf8.length, 8);
        out.writeBytes(utf8);
    }

    private void number(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> 8 * i));
        }
    }

    private void pad() {
        while (out.size() % ALIGNMENT != 0) {
            out.write(0);
        }
    }
}
