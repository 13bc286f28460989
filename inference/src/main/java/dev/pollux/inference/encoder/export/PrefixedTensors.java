package dev.pollux.inference.encoder.export;

import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The tensors of a checkpoint under the names that an architecture gives them: those of its base model begin with a prefix of the
 * architecture's, whatever they begin with in the file. The {@link TensorInfo} of each has its name in the file.
 */
final class PrefixedTensors implements TensorFile {

    private final TensorFile file;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    /**
     * @param stored what the names of the base model's tensors begin with in the file
     * @param wanted what they begin with in the architecture
     */
    PrefixedTensors(TensorFile file, String stored, String wanted) {
        this.file = file;
        file.tensors()
                .forEach((name, info) ->
                        tensors.put(name.startsWith(stored) ? wanted + name.substring(stored.length()) : name, info));
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        return file.bytes(info(name).name(), offset, length);
    }

    @Override
    public void close() {
        file.close();
    }
}
