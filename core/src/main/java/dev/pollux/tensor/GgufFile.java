package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A GGUF file, versions 2 and 3: metadata and tensors of llama.cpp's format.
 *
 * <p>Metadata values are {@code Long} (every integer; {@code BigInteger} above 2^63 − 1), {@code Float}, {@code Double},
 * {@code Boolean}, {@code String} or {@code List}. <em>Thread-safe.</em>
 */
public final class GgufFile implements TensorFile {

    private final MappedFile file;
    private final GgufReader header;

    private GgufFile(MappedFile file, GgufReader header) {
        this.file = file;
        this.header = header;
    }

    /**
     * Opens a file and checks its whole header.
     *
     * @throws MalformedFileException if it is damaged; the message says where
     */
    public static GgufFile open(Path path) {
        MappedFile file = new MappedFile(path);
        try {
            return new GgufFile(file, new GgufReader(file));
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
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
            throw new MalformedFileException(file.path() + ": " + key + " must be of type " + type.getSimpleName()
                    + " but was " + value.getClass().getSimpleName());
        }
        return Optional.of(type.cast(value));
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(header.tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        if (header.order() == ByteOrder.BIG_ENDIAN) {
            throw new UnsupportedModelException(file.path()
                    + " is big-endian: its metadata can be read, its tensors cannot; get the little-endian file");
        }
        return file.slice(info(name), offset, length);
    }

    @Override
    public void close() {
        file.close();
    }
}
