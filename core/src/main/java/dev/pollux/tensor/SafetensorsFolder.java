package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.internal.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The tensors of a Hugging Face folder: {@code model.safetensors}, or the shards that {@code model.safetensors.index.json}
 * names. <em>Thread-safe.</em>
 */
public final class SafetensorsFolder implements TensorFile {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final long MAX_INDEX = 64L << 20;

    private final List<SafetensorsFile> shards = new ArrayList<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, SafetensorsFile> home = new LinkedHashMap<>();

    private SafetensorsFolder() {}

    /**
     * Opens the files of a folder.
     *
     * @throws MalformedFileException if a file is damaged, a shard is missing, or a shard and the index disagree
     */
    public static SafetensorsFolder open(Path folder) {
        SafetensorsFolder opened = new SafetensorsFolder();
        try {
            Path index = folder.resolve(INDEX);
            if (Files.isRegularFile(index)) {
                opened.openShards(folder, weightMap(index));
            } else if (Files.isRegularFile(folder.resolve(SINGLE))) {
                opened.add(SafetensorsFile.open(folder.resolve(SINGLE)));
            } else {
                throw new MalformedFileException(
                        folder + " holds neither " + SINGLE + " nor " + INDEX + "; download the weights");
            }
            return opened;
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private static Map<?, ?> weightMap(Path index) {
        try {
            if (Files.size(index) > MAX_INDEX) {
                throw new MalformedFileException(index + " must be at most " + MAX_INDEX + " bytes");
            }
            Object root = Json.parse(ByteBuffer.wrap(Files.readAllBytes(index)), index.toString());
            if (root instanceof Map<?, ?> map && map.get("weight_map") instanceof Map<?, ?> weights) {
                return weights;
            }
            throw new MalformedFileException(index + " must hold an object weight_map");
        } catch (IOException e) {
            throw new StorageException("Cannot read " + index + ": " + e, e);
        }
    }

    private void openShards(Path folder, Map<?, ?> weightMap) {
        TreeSet<String> names = new TreeSet<>();
        weightMap.values().forEach(value -> names.add(String.valueOf(value)));
        for (String name : names) {
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
                throw new MalformedFileException(
                        folder + ": shard name '" + name + "' must be a plain file name without folders");
            }
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new MalformedFileException(folder + ": shard " + name + " is missing; download it");
            }
            add(SafetensorsFile.open(folder.resolve(name)));
        }
        for (Object name : weightMap.keySet()) {
            if (!tensors.containsKey(name)) {
                throw new MalformedFileException(folder + ": the index names tensor " + name
                        + " but no shard holds it; download the shards again");
            }
        }
    }

    private void add(SafetensorsFile shard) {
        shards.add(shard);
        shard.tensors().forEach((name, info) -> {
            if (tensors.put(name, info) != null) {
                throw new MalformedFileException("Tensor " + name + " stands in two shards; download the shards again");
            }
            home.put(name, shard);
        });
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        info(name);
        return home.get(name).bytes(name, offset, length);
    }

    @Override
    public void close() {
        shards.forEach(SafetensorsFile::close);
    }
}
