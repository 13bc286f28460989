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
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The tensors of a Hugging Face folder: {@code model.safetensors}, or if it is absent the shards listed in {@code
 * model.safetensors.index.json}. A tensor in a shard that the index does not list is not part of the model.
 * <em>Thread-safe.</em>
 */
public final class SafetensorsFolder implements TensorFile {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final long MAX_INDEX = 64L << 20;
    private static final int MAX_SHARDS = 4096;
    private static final String PART = "[^./\\\\:\\x00-\\x1f][^/\\\\:\\x00-\\x1f]*";
    private static final Pattern SHARD = Pattern.compile(PART + "(?:/" + PART + ")*");

    private final List<Path> files = new ArrayList<>();
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
            if (Files.isRegularFile(folder.resolve(SINGLE))) { // an index in the same folder is stale
                SafetensorsFile single = opened.open(folder, SINGLE);
                single.tensors().keySet().forEach(name -> opened.add(name, single));
            } else if (Files.isRegularFile(index)) {
                opened.openShards(folder, weightMap(index));
            } else {
                throw new MalformedFileException(
                        folder + " holds neither " + SINGLE + " nor " + INDEX + "; download the weights");
            }
            return opened;
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** Whether a folder contains weights in this format. */
    public static boolean isIn(Path folder) {
        return Files.isRegularFile(folder.resolve(INDEX)) || Files.isRegularFile(folder.resolve(SINGLE));
    }

    private static Map<?, ?> weightMap(Path index) {
        try {
            if (Files.size(index) > MAX_INDEX) {
                throw new MalformedFileException(index + " must be at most " + MAX_INDEX + " bytes");
            }
            Object root = Json.parse(withoutByteOrderMark(Files.readAllBytes(index)), index.toString());
            if (root instanceof Map<?, ?> map && map.get("weight_map") instanceof Map<?, ?> weights) {
                return weights;
            }
            throw new MalformedFileException(index + " must hold an object weight_map");
        } catch (IOException e) {
            throw new StorageException("Cannot read " + index + ": " + e, e);
        }
    }

    private static ByteBuffer withoutByteOrderMark(byte[] utf8) {
        boolean marked = utf8.length > 2 && utf8[0] == (byte) 0xEF && utf8[1] == (byte) 0xBB && utf8[2] == (byte) 0xBF;
        int begin = marked ? 3 : 0;
        return ByteBuffer.wrap(utf8, begin, utf8.length - begin);
    }

    private void openShards(Path folder, Map<?, ?> weightMap) {
        Map<String, SafetensorsFile> byName = new TreeMap<>();
        weightMap.values().forEach(value -> byName.computeIfAbsent(String.valueOf(value), n -> openShard(folder, n)));
        weightMap.forEach((key, value) -> {
            String name = (String) key;
            SafetensorsFile shard = Objects.requireNonNull(byName.get(String.valueOf(value)));
            if (!shard.tensors().containsKey(name)) {
                throw new MalformedFileException(folder + ": the index puts tensor " + name + " into shard " + value
                        + ", which does not hold it; download the shards again");
            }
            add(name, shard);
        });
    }

    private SafetensorsFile openShard(Path folder, String name) {
        if (!SHARD.matcher(name).matches()) {
            throw new MalformedFileException(folder + ": shard name '" + name
                    + "' must be a path within the folder, and no part of it may begin with a dot");
        }
        if (shards.size() == MAX_SHARDS) {
            throw new MalformedFileException(folder + ": the index names more than " + MAX_SHARDS + " shards");
        }
        if (!Files.isRegularFile(folder.resolve(name))) {
            throw new MalformedFileException(folder + ": shard " + name + " is missing; download it");
        }
        return open(folder, name);
    }

    private SafetensorsFile open(Path folder, String name) {
        SafetensorsFile file = SafetensorsFile.open(folder.resolve(name));
        shards.add(file);
        files.add(folder.resolve(name));
        return file;
    }

    private void add(String name, SafetensorsFile shard) {
        tensors.put(name, shard.info(name));
        home.put(name, shard);
    }

    /** The files of the tensors, in the order of opening. */
    public List<Path> files() {
        return Collections.unmodifiableList(files);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        info(name);
        return Objects.requireNonNull(home.get(name)).bytes(name, offset, length);
    }

    @Override
    public void close() {
        shards.forEach(SafetensorsFile::close);
    }
}
