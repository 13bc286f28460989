package dev.pollux.finetune.train;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The tensors of a checkpoint under the names of a class with a head, and those of a new head. <em>Thread-safe.</em> */
final class HeadedTensors implements TensorFile {

    private final TensorFile file;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, String> names = new LinkedHashMap<>(); // in the file
    private final Map<String, float[]> added = new LinkedHashMap<>();

    /**
     * The same tensors.
     *
     * @param stored what names of the base model's tensors begin with in the file
     * @param wanted what they begin with in the class
     */
    HeadedTensors(TensorFile file, String stored, String wanted) {
        this.file = file;
        file.tensors().forEach((name, info) -> {
            String renamed = name.startsWith(stored) && !name.startsWith(wanted)
                    ? wanted + name.substring(stored.length())
                    : name;
            names.put(renamed, name);
            tensors.put(renamed, new TensorInfo(renamed, info.type(), info.shape(), info.offset(), info.byteLength()));
        });
    }

    /** Adds a tensor of 32-bit floats. */
    void add(String name, List<Long> shape, float[] values) {
        added.put(name, values);
        tensors.put(name, new TensorInfo(name, DType.F32, shape, 0, (long) values.length * Float.BYTES));
    }

    /** Whether the tensor is not in the file. */
    boolean isNew(String name) {
        return added.containsKey(name);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        float[] values = added.get(name);
        if (values == null) {
            return file.bytes(Objects.requireNonNull(names.get(info(name).name())), offset, length);
        }
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.slice(Math.toIntExact(offset), length).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        file.close();
    }
}
