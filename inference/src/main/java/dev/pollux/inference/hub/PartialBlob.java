package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import dev.pollux.job.JobContext;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * The beginning of a file, on disk as {@code HASH.incomplete}. It is always a prefix without gaps, so that any later download,
 * including one of {@code huggingface_hub}, can append to it. Its digest is updated as it grows. <em>Not thread-safe: one
 * thread at a time.</em>
 */
final class PartialBlob implements Closeable {

    private static final int BLOCK = 1 << 20;

    private final RemoteFile file;
    private final SeekableByteChannel channel;
    private final Counter counter;
    private MessageDigest digest;
    private long position;

    /** Receives the number of bytes. */
    interface Counter {
        void at(long position);
    }

    private PartialBlob(RemoteFile file, SeekableByteChannel channel, Counter counter) {
        this.file = file;
        this.channel = channel;
        this.counter = counter;
        this.digest = file.digest();
    }

    /** Opens or creates the file and reads the existing bytes. */
    static PartialBlob open(RemoteFile file, Path path, HubSettings settings, JobContext context, Counter counter)
            throws IOException {
        try {
            PartialBlob open = new PartialBlob(file, settings.surroundings().open(path), counter);
            try {
                open.adopt(context);
                return open;
            } catch (IOException | RuntimeException | Error e) {
                open.close();
                throw e;
            }
        } catch (IOException e) {
            throw new DiskException(e);
        }
    }

    private void adopt(JobContext context) throws IOException {
        long size = channel.size();
        if (size > file.bytes()) {
            restart();
            return;
        }
        ByteBuffer block = ByteBuffer.allocate(BLOCK);
        while (position < size) {
            context.checkCancelled();
            block.clear().limit((int) Math.min(BLOCK, size - position));
            if (channel.read(block) < 0) {
                break;
            }
            digest.update(block.flip());
            position += block.limit();
        }
        counter.at(position);
    }

    /** The number of bytes. */
    long position() {
        return position;
    }

    boolean isWhole() {
        return position == file.bytes();
    }

    /** Appends the bytes of {@code source}. */
    void append(ByteBuffer source) throws IOException {
        digest.update(source.duplicate());
        try {
            channel.position(position);
            while (source.hasRemaining()) {
                position += channel.write(source);
            }
        } catch (IOException e) {
            throw new DiskException(e);
        }
        counter.at(position);
    }

    /** Discards the content. */
    void restart() throws IOException {
        try {
            channel.truncate(0);
            channel.position(0);
        } catch (IOException e) {
            throw new DiskException(e);
        }
        position = 0;
        digest = file.digest();
        counter.at(0);
    }

    /** Whether the content matches its hash. */
    boolean isRight() {
        return actual().equals(file.hash());
    }

    private String actual() {
        try {
            return HexFormat.of().formatHex(((MessageDigest) digest.clone()).digest());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("The JDK's digests can be cloned", e);
        }
    }

    /**
     * Verifies the whole content against its hash, and the size of the file against the number of written bytes.
     *
     * @throws MalformedFileException if they differ
     */
    void verify(String repository) throws IOException {
        if (!isRight() || channel.size() != file.bytes()) {
            throw new MalformedFileException(file.path() + " of " + repository + " must have " + file.bytes()
                    + " bytes and " + file.algorithm() + " " + file.hash() + " but has " + channel.size() + " and "
                    + actual() + "; it was discarded, fetch it again");
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** The disk failed, not the network, so a retry is useless. */
    static final class DiskException extends IOException {

        private static final long serialVersionUID = 1L;

        DiskException(IOException cause) {
            super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
        }
    }
}
