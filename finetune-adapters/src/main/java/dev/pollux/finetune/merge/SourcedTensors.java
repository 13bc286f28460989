package dev.pollux.finetune.merge;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** The tensors of a model with its adapter, as a file of 32-bit floats. <em>Thread-safe; closing it closes nothing.</em> */
final class SourcedTensors implements TensorFile {

    private final Map<String, TensorSource> sources;
    private final Map<String, TensorSource> ready = new ConcurrentHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    SourcedTensors(Map<String, TensorSource> sources) {
        this.sources = sources;
        sources.forEach((name, source) ->
                tensors.put(name, new TensorInfo(name, DType.F32, source.shape(), 0, source.elements() * Float.BYTES)));
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public void read(String name, long first, int count, float[] into, int at) {
        TensorInfo info = info(name);
        if (first < 0 || count < 0 || first > info.elements() - count) {
            throw new IllegalArgumentException("elements " + first + " to " + (first + count) + " are outside " + name
                    + ", which has " + info.elements());
        }
        ready.computeIfAbsent(
                        name, key -> Objects.requireNonNull(sources.get(key)).ready())
                .read(first, count, into, at);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        if (offset % Float.BYTES != 0 || length % Float.BYTES != 0) {
            throw new IllegalArgumentException(
                    "offset and length must be multiples of " + Float.BYTES + " but were " + offset + " and " + length);
        }
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(floats(name, offset / Float.BYTES, length / Float.BYTES));
        return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        // the sources belong to the model
    }
}
