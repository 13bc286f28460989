package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Metadata and tensors of a GGUF model, llama.cpp's format, versions 2 and 3, in one file or several parts.
 *
 * <p>Metadata values are {@code Long} (every integer; {@code BigInteger} above 2^63 − 1), {@code Float}, {@code Double},
 * {@code Boolean}, {@code String} or {@code List}. <em>Thread-safe.</em>
 */
public final class GgufFile implements TensorFile {

    private static final String ENDING = ".gguf";

    /** File name prefixes of a model's companions: projectors, importance matrices, draft heads. */
    private static final Pattern BESIDE =
            Pattern.compile(".*(?i:mmproj|imatrix).*|(?:.*[-_.])?(?:mtp|eagle3|dflash|dspark)-.*");

    private final List<GgufParts.Part> parts;
    private final GgufReader header;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, GgufParts.Part> owners = new HashMap<>();

    private GgufFile(List<GgufParts.Part> parts) {
        this.parts = parts;
        this.header = parts.get(0).header();
        for (GgufParts.Part part : parts) {
            part.header().tensors.forEach((name, info) -> {
                if (tensors.put(name, info) != null) {
                    throw new MalformedFileException(part.file().path() + " holds " + name
                            + ", which another part holds too; download the file again");
                }
                owners.put(name, part);
            });
        }
        long due = integer("split.tensors.count").orElse((long) tensors.size());
        if (due != tensors.size() && parts.size() > 1) {
            throw new MalformedFileException(path() + " and its other parts must hold " + due + " tensors but hold "
                    + tensors.size() + "; download the files again");
        }
    }

    /**
     * Opens a file and checks its whole header. If a model is split into {@code name-00001-of-00003.gguf} and so on, the
     * path of any part opens all parts.
     *
     * @throws MalformedFileException if it is damaged; the message says where
     * @throws dev.pollux.StorageException if it cannot be read, or a part is missing; the message names it
     */
    public static GgufFile open(Path path) {
        List<GgufParts.Part> parts = GgufParts.open(path);
        try {
            return new GgufFile(parts);
        } catch (RuntimeException | Error e) {
            parts.forEach(part -> part.file().close());
            throw e;
        }
    }

    /** Whether a path has the GGUF extension, in any case. */
    public static boolean isName(String path) {
        return path.regionMatches(true, path.length() - ENDING.length(), ENDING, 0, ENDING.length());
    }

    /**
     * Whether a path has the GGUF extension and names a model. Companion files of a model are excluded by the names that
     * llama.cpp uses: {@code mmproj}, {@code imatrix}, {@code mtp-}, {@code eagle3-}, {@code dflash-}, {@code dspark-}.
     * {@code model-q4.gguf} passes; {@code mmproj-model.gguf} fails.
     */
    public static boolean isModelName(String path) {
        int from = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
        return isName(path) && !BESIDE.matcher(path.substring(from)).matches();
    }

    /** The files of the model, in order. */
    public List<Path> files() {
        return parts.stream().map(part -> part.file().path()).toList();
    }

    private Path path() {
        return parts.get(0).file().path();
    }

    /** The format's version, 2 or 3. */
    public int version() {
        return header.version;
    }

    /** All metadata, in the order of the file. */
    public Map<String, Object> metadata() {
        return Collections.unmodifiableMap(header.metadata);
    }

    /**
     * All metadata with the types that the file has, in the order of the file, for writing it to another file.
     *
     * @throws UnsupportedModelException if the file is big-endian
     */
    public Map<String, GgufValue> values() {
        requireLittleEndian();
        return Collections.unmodifiableMap(header.values);
    }

    /** The string with this key, if present. */
    public Optional<String> string(String key) {
        return value(key, String.class);
    }

    /** The integer with this key, if present. */
    public Optional<Long> integer(String key) {
        return value(key, Long.class);
    }

    /** The number with this key as a double, if present. */
    public Optional<Double> number(String key) {
        return value(key, Number.class).map(Number::doubleValue);
    }

    /** The array with this key, if present. */
    public Optional<List<?>> array(String key) {
        return value(key, List.class).map(list -> (List<?>) list);
    }

    private <T> Optional<T> value(String key, Class<T> type) {
        Object value = header.metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!type.isInstance(value)) {
            throw new MalformedFileException(path() + ": " + key + " must be of type " + type.getSimpleName()
                    + " but was " + value.getClass().getSimpleName());
        }
        return Optional.of(type.cast(value));
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        requireLittleEndian();
        TensorInfo info = info(name);
        return owners.getOrDefault(name, parts.get(0)).file().slice(info, offset, length);
    }

    private void requireLittleEndian() {
        if (header.order() == ByteOrder.BIG_ENDIAN) {
            throw new UnsupportedModelException(path()
                    + " is big-endian: its metadata can be read, its tensors cannot; get the little-endian file");
        }
    }

    @Override
    public void close() {
        parts.forEach(part -> part.file().close());
    }
}
