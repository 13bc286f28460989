package dev.pollux.tensor;

import dev.pollux.StorageException;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file whose ranges are mapped when they are asked for. */
final class MappedFile implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;
    private final long size;
    private final OpenHandle handle;

    MappedFile(Path path) {
        this.path = path;
        try {
            this.channel = FileChannel.open(path, StandardOpenOption.READ);
            this.size = channel.size();
        } catch (IOException e) {
            throw new StorageException("Cannot open " + path + ": " + e, e);
        }
        this.handle = OpenHandle.of("file " + path);
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    /** A range that the caller has checked against {@link #size()}; read-only. */
    ByteBuffer map(long offset, int length, ByteOrder order) {
        try {
            return channel.map(FileChannel.MapMode.READ_ONLY, offset, length).order(order);
        } catch (ClosedChannelException e) {
            throw new IllegalStateException(path + " is closed; open it again", e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + path + ": " + e, e);
        }
    }

    /** The bytes of a checked range of a tensor. */
    ByteBuffer slice(TensorInfo info, long offset, int length) {
        if (offset < 0 || length < 0 || offset > info.byteLength() - length) {
            throw new IllegalArgumentException("bytes " + offset + " to " + (offset + length) + " are outside "
                    + info.name() + ", which has " + info.byteLength());
        }
        return map(info.offset() + offset, length, ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new StorageException("Cannot close " + path + ": " + e, e);
        } finally {
            handle.close();
        }
    }
}
