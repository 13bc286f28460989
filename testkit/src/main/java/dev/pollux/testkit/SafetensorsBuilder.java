package dev.pollux.testkit;

import dev.pollux.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes small safetensors files for tests. <em>Not thread-safe: one thread at a time.</em>
 */
public final class SafetensorsBuilder {

    private record Tensor(DType type, long[] shape, byte[] data) {}

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** An empty file. */
    public SafetensorsBuilder() {}

    /** Sets a tensor. */
    public SafetensorsBuilder tensor(String name, DType type, byte[] data, long... shape) {
        tensors.put(name, new Tensor(type, shape.clone(), data.clone()));
        return this;
    }

    /** Sets a tensor of type F32. */
    public SafetensorsBuilder floats(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return tensor(name, DType.F32, bytes.array(), shape);
    }

    /** Removes a tensor. */
    public SafetensorsBuilder without(String name) {
        tensors.remove(name);
        return this;
    }

    /** The file. */
    public byte[] toBytes() {
        StringBuilder header = new StringBuilder("{");
        int at = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            header.append(header.length() > 1 ? "," : "")
                    .append('"')
                    .append(entry.getKey())
                    .append("\":{\"dtype\":\"")
                    .append(tensor.type())
                    .append("\",\"shape\":")
                    .append(Arrays.toString(tensor.shape()))
                    .append(",\"data_offsets\":[")
                    .append(at)
                    .append(',')
                    .append(at + tensor.data().length)
                    .append("]}");
            at += tensor.data().length;
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + at).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        tensors.values().forEach(tensor -> file.put(tensor.data()));
        return file.array();
    }

    /** Writes the file. */
    public Path write(Path path) {
        try {
            return Files.write(path, toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
