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
 * A GGUF file, versions 2 and 3, or the parts of one: metadata and tensors of llama.cpp's format.
 *
 * <p>Metadata values are {@code Long} (every integer; {@code BigInteger} above 2^63 − 1), {@code Float}, {@code Double},
 * {@code Boolean}, {@code String} or {@code List}. <em>Thread-safe.</em>
 */
public final class GgufFile implements TensorFile {

    private static final String ENDING = ".gguf";

    /** What stands beside a model: projectors, matrices of importance, heads that draft tokens for it. */
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
                            + ", which another part holds too; get the file again");
                }
                owners.put(name, part);
            });
        }
        long due = integer("split.tensors.count").orElse((long) tensors.size());
        if (due != tensors.size() && parts.size() > 1) {
            throw new MalformedFileException(path() + " and its other parts must hold " + due + " tensors but hold "
                    + tensors.size() + "; get the files again");
        }
    }

    /**
     * Opens a file and checks its whole header. Of a model in several files, {@code name-00001-of-00003.gguf} and on, any may
     * be given; all are opened.
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

    /** Whether a path ends as those of GGUF files do, in any case. */
    public static boolean isName(String path) {
        return path.regionMatches(true, path.length() - ENDING.length(), ENDING, 0, ENDING.length());
    }

    /**
     * Whether a path ends as those of GGUF files do and its file's name is that of a model, not of something that publishers put
     * beside one, as llama.cpp tells them apart: {@code mmproj}, {@code imatrix}, {@code mtp-}, {@code eagle3-}, {@code dflash-},
     * {@code dspark-}.
     */
    public static boolean isModelName(String path) {
        int from = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
        return isName(path) && !BESIDE.matcher(path.substring(from)).matches();
    }

    /** The files it was read from, first to last. */
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

    /** Everything the file says of itself, in its order. */
    public Map<String, Object> metadata() {
        return Collections.unmodifiableMap(header.metadata);
    }

    /** A string, if the key is there. */
    public Optional<String> string(String key) {
        return value(key, String.class);
    }

    /** An integer, if the key is there. */
    public Optional<Long> integer(String key) {
        return value(key, Long.class);
    }

    /** A number as a double, if the key is there. */
    public Optional<Double> number(String key) {
        return value(key, Number.class).map(Number::doubleValue);
    }

    /** An array, if the key is there. */
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
        if (header.order() == ByteOrder.BIG_ENDIAN) {
            throw new UnsupportedModelException(path()
                    + " is big-endian: its metadata can be read, its tensors cannot; get the little-endian file");
        }
        TensorInfo info = info(name);
        return owners.getOrDefault(name, parts.get(0)).file().slice(info, offset, length);
    }

    @Override
    public void close() {
        parts.forEach(part -> part.file().close());
    }
}
