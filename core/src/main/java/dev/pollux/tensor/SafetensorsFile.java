package dev.pollux.tensor;

import dev.pollux.MalformedFileException;
import dev.pollux.internal.ForeignFile;
import dev.pollux.internal.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A safetensors file.
 *
 * <p>Layout: u64 length of the header; the header, a JSON object name → {dtype, shape, data_offsets [from, to)} with an
 * optional {@code __metadata__} of strings; the data, which the tensors cover without gap or overlap. <em>Thread-safe.</em>
 */
public final class SafetensorsFile implements TensorFile {

    private static final long MAX_HEADER = 100_000_000;

    private final MappedFile file;
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private SafetensorsFile(MappedFile file) {
        this.file = file;
        if (file.size() < 8) {
            refuseForeign();
            throw malformed("it has " + file.size() + " bytes, too few for a header length");
        }
        long length = file.map(0, 8).getLong();
        if (length < 2 || length > MAX_HEADER || length > file.size() - 8) {
            refuseForeign();
            throw malformed("the header length must be in [2, " + Math.min(MAX_HEADER, file.size() - 8) + "] but was "
                    + Long.toUnsignedString(length));
        }
        ByteBuffer header = file.map(8, (int) length);
        for (Map.Entry<?, ?> entry : object("the header", Json.parse(header, file.path() + " header"))
                .entrySet()) {
            String name = (String) entry.getKey();
            if (name.equals("__metadata__")) {
                readMetadata(entry.getValue());
            } else {
                tensors.put(name, tensor(name, object(name, entry.getValue()), 8 + length));
            }
        }
        checkCoverage(8 + length);
    }

    /**
     * Opens a file and checks its whole header.
     *
     * @throws MalformedFileException if it is damaged; the message says where
     */
    public static SafetensorsFile open(Path path) {
        MappedFile file = new MappedFile(path);
        try {
            return new SafetensorsFile(file);
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** The strings of {@code __metadata__}. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public ByteBuffer bytes(String name, long offset, int length) {
        return file.slice(info(name), offset, length);
    }

    @Override
    public void close() {
        file.close();
    }

    private void readMetadata(Object value) {
        object("__metadata__", value).forEach((key, item) -> {
            if (!(item instanceof String text)) {
                throw malformed("__metadata__ must hold strings but " + key + " was " + item);
            }
            metadata.put((String) key, text);
        });
    }

    private TensorInfo tensor(String name, Map<?, ?> entry, long base) {
        Object dtype = entry.get("dtype");
        DType type = DType.ofSafetensors(String.valueOf(dtype))
                .orElseThrow(() -> malformed("dtype of " + name + " is missing or unknown: " + dtype));
        List<Long> shape = integers(name + " shape", entry.get("shape"));
        List<Long> offsets = integers(name + " data_offsets", entry.get("data_offsets"));
        long bytes = type.blockBytes();
        for (long size : shape) {
            if (size != 0 && bytes > Long.MAX_VALUE / size) {
                throw malformed("the shape " + shape + " of " + name + " overflows");
            }
            bytes *= size;
        }
        if (offsets.size() != 2 || offsets.get(1) < offsets.get(0)) {
            throw malformed("data_offsets of " + name + " must be [from, to] but were " + offsets);
        }
        if (offsets.get(1) > file.size() - base) {
            throw malformed(name + " ends past the end of the file; it is truncated");
        }
        if (offsets.get(1) - offsets.get(0) != bytes) {
            throw malformed(name + " of type " + type + " and shape " + shape + " must have " + bytes
                    + " bytes but has " + (offsets.get(1) - offsets.get(0)));
        }
        return new TensorInfo(name, type, shape, base + offsets.get(0), bytes);
    }

    private void checkCoverage(long base) {
        List<TensorInfo> sorted = new ArrayList<>(tensors.values());
        sorted.sort(Comparator.comparingLong(TensorInfo::offset).thenComparingLong(TensorInfo::byteLength));
        long next = base;
        for (TensorInfo info : sorted) {
            if (info.offset() != next) {
                throw malformed("tensors must follow one another but " + info.name() + " begins at byte "
                        + info.offset() + " instead of " + next);
            }
            next += info.byteLength();
        }
        if (next != file.size()) {
            throw malformed("the tensors end at byte " + next + " but the file has " + file.size());
        }
    }

    private Map<?, ?> object(String what, Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw malformed(what + " must be a JSON object");
        }
        return map;
    }

    private List<Long> integers(String what, @Nullable Object value) {
        if (!(value instanceof List<?> list)) {
            throw malformed(what + " must be an array but was " + value);
        }
        List<Long> numbers = new ArrayList<>();
        for (Object item : list) {
            if (!(item instanceof Long number) || number < 0) {
                throw malformed(what + " must hold whole numbers from 0 but held " + item);
            }
            numbers.add(number);
        }
        return numbers;
    }

    /** Rejects a file with the signature of another format. */
    private void refuseForeign() {
        byte[] head = new byte[(int) Math.min(ForeignFile.HEAD, file.size())];
        file.map(0, head.length).get(head);
        ForeignFile.describe(head, file.size()).ifPresent(what -> {
            throw new MalformedFileException(file.path() + " is not a valid safetensors file: " + what);
        });
    }

    private MalformedFileException malformed(String why) {
        return new MalformedFileException(
                file.path() + " is not a valid safetensors file: " + why + "; download the file again");
    }
}
