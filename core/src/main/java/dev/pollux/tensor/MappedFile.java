package dev.pollux.tensor;

import dev.pollux.StorageException;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A file that is mapped completely on opening; the operating system reads pages on access.
 *
 * <p>A mapping lives until its last buffer is unreachable, so a returned buffer stays valid after {@link #close}.
 * <em>Thread-safe.</em>
 */
final class MappedFile implements AutoCloseable {

    /*
     * A buffer is limited to less than 2^31 bytes. Segments begin every 2^30 bytes and are up to twice as long, so that a
     * range of up to 2^30 bytes is inside one segment. The channel is closed immediately after mapping, because an interrupt
     * of a thread that reads from a channel closes it for all threads.
     */
    static final int MAX_RANGE = 1 << 30;

    private final Path path;
    private final long size;
    private final OpenHandle handle;
    private volatile List<ByteBuffer> segments;

    MappedFile(Path path) {
        this.path = path;
        List<ByteBuffer> mapped = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            this.size = channel.size();
            long from = 0;
            do {
                long length = Math.min(size - from, Integer.MAX_VALUE);
                mapped.add(channel.map(FileChannel.MapMode.READ_ONLY, from, length));
                from += MAX_RANGE;
            } while (from < size);
        } catch (IOException e) {
            throw new StorageException("Cannot open " + path + ": " + e, e);
        }
        this.segments = mapped;
        this.handle = OpenHandle.of("file " + path);
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** The beginning of the file, up to the size of a buffer. */
    ByteBuffer beginning() {
        return segments.get(0).duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A range of bytes, already checked by the caller against {@link #size()}; read-only, little-endian. */
    ByteBuffer map(long offset, int length) {
        List<ByteBuffer> open = segments;
        if (open.isEmpty()) {
            throw new IllegalStateException(path + " is closed; open it again");
        }
        int segment = (int) Math.min(offset / MAX_RANGE, open.size() - 1);
        int at = (int) (offset - (long) segment * MAX_RANGE);
        return open.get(segment).slice(at, length).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The bytes of a checked range of a tensor. */
    ByteBuffer slice(TensorInfo info, long offset, int length) {
        if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
            throw new IllegalArgumentException("bytes " + offset + " to " + (offset + length) + " are outside "
                    + info.name() + ", which has " + info.byteLength());
        }
        if (length > MAX_RANGE) {
            throw new IllegalArgumentException(
                    "length must be at most " + MAX_RANGE + " but was " + length + "; read in pieces");
        }
        return map(info.offset() + offset, length);
    }

    @Override
    public void close() {
        segments = List.of();
        handle.close();
    }
}
