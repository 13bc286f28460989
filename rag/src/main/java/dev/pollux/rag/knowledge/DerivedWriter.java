package dev.pollux.rag.knowledge;

import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * Writes a derived file: under a temporary name, forced to the disk, and moved to its name when it is whole. <em>Not
 * thread-safe: one thread at a time.</em>
 */
final class DerivedWriter implements AutoCloseable {

    /** Ending of a file that is being written. */
    static final String TEMPORARY = ".tmp";

    private static final int BUFFER = 1 << 16;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final CRC32C crc = new CRC32C();
    private final CountingStream out;
    private boolean finished;

    DerivedWriter(Path target) throws IOException {
        Files.createDirectories(target.toAbsolutePath().getParent());
        this.target = target;
        this.temporary = target.resolveSibling(target.getFileName() + TEMPORARY);
        this.channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        this.out = new CountingStream(
                new CheckedOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER), crc));
    }

    OutputStream out() {
        return out;
    }

    long length() {
        return out.count;
    }

    /** Adds the checksum and publishes the file. */
    DerivedFile finish() throws IOException {
        int checksum = (int) crc.getValue();
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            out.write(checksum >>> shift);
        }
        out.flush();
        channel.force(true);
        channel.close();
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        finished = true;
        return new DerivedFile(target.getFileName().toString(), out.count, (int) crc.getValue());
    }

    /** Removes a file that was not finished. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (!finished) {
            Files.deleteIfExists(temporary);
        }
    }

    /** Counts what is written. */
    private static final class CountingStream extends FilterOutputStream {
        private long count;

        CountingStream(OutputStream to) {
            super(to);
        }

        @Override
        public void write(int value) throws IOException {
            out.write(value);
            count++;
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
            count += length;
        }
    }
}
