package dev.pollux.tensor;

import dev.pollux.StorageException;
import dev.pollux.internal.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a safetensors file tensor by tensor, before all shapes are known. Space for the header is reserved; the unused rest
 * is filled with blanks, as the format allows. <em>Confined to one thread.</em>
 */
public final class SafetensorsWriter implements AutoCloseable {

    private static final int STEP = 1 << 16;
    private static final int ENTRY = 200; // bytes of an entry without its name, at most

    private final FileChannel channel;
    private final int header;
    private final Map<String, Object> json = new LinkedHashMap<>();
    private final ByteBuffer buffer = EncodingSink.buffer();
    private final AtomicLong written = new AtomicLong();
    private final Map<String, DType> types = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> facts = new HashMap<>();
    private long end;

    private SafetensorsWriter(Path file, List<String> names) {
        long length = ENTRY;
        for (String name : names) {
            length += Json.text(name).getBytes(StandardCharsets.UTF_8).length + ENTRY;
        }
        this.header = Math.toIntExact((length + 7) / 8 * 8);
        json.put("__metadata__", Map.of("format", "pt"));
        try {
            this.channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }

    /**
     * Creates or replaces {@code file}.
     *
     * @param names names of all tensors that may be written
     * @throws StorageException if the file cannot be written
     */
    public static SafetensorsWriter create(Path file, List<String> names) {
        return new SafetensorsWriter(file, names);
    }

    /** Writes values, row by row. */
    public void put(String name, DType type, List<Long> shape, float[] values) {
        EncodingSink sink = begin(name, type, shape);
        sink.put(values, values.length);
        end(name, sink);
    }

    /** Writes a tensor as it is read. */
    public void put(String name, DType type, TensorSource source) {
        EncodingSink sink = begin(name, type, source.shape());
        TensorSource ready = source.ready();
        long elements = source.elements();
        float[] some = new float[(int) Math.min(STEP, elements)];
        for (long first = 0; first < elements; first += some.length) {
            int count = (int) Math.min(some.length, elements - first);
            ready.read(first, count, some, 0);
            sink.put(some, count);
        }
        end(name, sink);
    }

    private void end(String name, EncodingSink sink) {
        sink.flush();
        sink.notFinite().addTo(sink);
        facts.put(name, sink.facts());
    }

    /** Messages about values that were not finite before or after rounding; {@code written} names the file. */
    public List<String> notices(String written) {
        return NotFinite.notices(written, types, facts);
    }

    private EncodingSink begin(String name, DType type, List<Long> shape) {
        long bytes = shape.stream().reduce(1L, Math::multiplyExact) * type.blockBytes();
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("dtype", type.name());
        entry.put("shape", List.copyOf(shape));
        entry.put("data_offsets", List.of(end, end + bytes));
        json.put(name, entry);
        types.put(name, type);
        EncodingSink sink = EncodingSink.of(type, channel, 8L + header + end, written, buffer);
        end += bytes;
        return sink;
    }

    /** Number of tensor bytes written so far. */
    public long bytes() {
        return end;
    }

    /** Writes the header, which completes the file. */
    public void finish() {
        byte[] text = Json.text(json).getBytes(StandardCharsets.UTF_8);
        if (text.length > header) {
            throw new IllegalStateException(
                    "the header needs " + text.length + " bytes but only " + header + " were kept for it");
        }
        ByteBuffer bytes = ByteBuffer.allocate(8 + header).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(header).put(text);
        while (bytes.hasRemaining()) {
            bytes.put((byte) ' ');
        }
        bytes.flip();
        try {
            for (long at = 0; bytes.hasRemaining(); ) {
                at += channel.write(bytes, at);
            }
            channel.force(false);
        } catch (IOException e) {
            throw new StorageException("Cannot write the header of an adapter: " + e + "; is the disk full?", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new StorageException("Cannot close a file of weights: " + e, e);
        }
    }
}
