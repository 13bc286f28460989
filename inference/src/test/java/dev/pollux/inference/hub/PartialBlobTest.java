package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartialBlobTest {

    private static final byte[] CONTENT = "the content of a file".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private final List<Long> told = new ArrayList<>();

    @Test
    void aFileIsAppendedToAndVerified() throws IOException {
        RemoteFile file = sha256(CONTENT);
        try (PartialBlob blob = open(file, FileSystemAndClock.REAL)) {
            assertThat(blob.position()).isZero();
            assertThat(blob.isWhole()).isFalse();
            blob.append(ByteBuffer.wrap(CONTENT, 0, 4));
            assertThat(blob.isRight()).isFalse();
            blob.append(ByteBuffer.wrap(CONTENT, 4, CONTENT.length - 4));
            assertThat(blob.isWhole()).isTrue();
            assertThat(blob.isRight()).isTrue();
            blob.verify("owner/name");
        }
        assertThat(path()).hasBinaryContent(CONTENT);
        assertThat(told).containsExactly(0L, 4L, (long) CONTENT.length);
    }

    @Test
    void aFileThatWasBegunGoesOnAtItsEndWhateverItsPieces() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 50; run++) {
            byte[] content = new byte[random.nextInt(3_000)];
            random.nextBytes(content);
            RemoteFile file = random.nextBoolean() ? sha256(content) : git(content);
            int done = 0;
            while (done < content.length) { // each time as another process
                try (PartialBlob blob = open(file, FileSystemAndClock.REAL)) {
                    assertThat(blob.position()).as("seed %d, run %d", seed, run).isEqualTo(done);
                    int some = Math.min(content.length - done, 1 + random.nextInt(1_000));
                    blob.append(ByteBuffer.wrap(content, done, some));
                    done += some;
                }
            }
            try (PartialBlob blob = open(file, FileSystemAndClock.REAL)) {
                assertThat(blob.isWhole()).as("seed %d, run %d", seed, run).isTrue();
                blob.verify("owner/name");
            }
            Files.delete(path());
        }
    }

    @Test
    void whatIsLongerThanTheFileIsForgotten() throws IOException {
        Files.write(path(), new byte[CONTENT.length + 1]);
        try (PartialBlob blob = open(sha256(CONTENT), FileSystemAndClock.REAL)) {
            assertThat(blob.position()).isZero();
            blob.append(ByteBuffer.wrap(CONTENT));
            blob.verify("owner/name");
        }
        assertThat(path()).hasBinaryContent(CONTENT);
    }

    @Test
    void whatIsAnotherFileIsNotRightAndIsBegunAgain() throws IOException {
        byte[] other = CONTENT.clone();
        other[0]++;
        Files.write(path(), other);
        try (PartialBlob blob = open(sha256(CONTENT), FileSystemAndClock.REAL)) {
            assertThat(blob.isWhole()).isTrue();
            assertThat(blob.isRight()).isFalse();
            assertThatThrownBy(() -> blob.verify("owner/name"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage("model.bin of owner/name must have 21 bytes and SHA-256 " + hex("SHA-256", CONTENT)
                            + " but has 21 and " + hex("SHA-256", other)
                            + "; it was discarded, fetch it again");
            blob.restart();
            assertThat(blob.position()).isZero();
            blob.append(ByteBuffer.wrap(CONTENT));
            blob.verify("owner/name");
        }
        assertThat(told).containsExactly(21L, 0L, 21L);
    }

    @Test
    void bytesThatAnotherProcessAddedAreSeenWhenItIsVerified() throws IOException {
        try (PartialBlob blob = open(sha256(CONTENT), FileSystemAndClock.REAL)) {
            blob.append(ByteBuffer.wrap(CONTENT));
            Files.write(path(), Arrays.copyOf(CONTENT, CONTENT.length + 3));
            assertThatThrownBy(() -> blob.verify("owner/name"))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessageContaining("must have 21 bytes")
                    .hasMessageContaining("but has 24 and ");
        }
    }

    @Test
    void aFullDiskIsToldFromABrokenNetwork() throws IOException {
        FileSystemAndClock full = new FileSystemAndClock() {
            @Override
            public SeekableByteChannel open(Path file) throws IOException {
                return new FullDisk(FileSystemAndClock.REAL.open(file));
            }
        };
        try (PartialBlob blob = open(sha256(CONTENT), full)) {
            assertThatThrownBy(() -> blob.append(ByteBuffer.wrap(CONTENT)))
                    .isInstanceOf(PartialBlob.DiskException.class)
                    .hasMessage("No space left on device");
            assertThat(blob.position()).isZero();
        }
        FileSystemAndClock unreadable = new FileSystemAndClock() {
            @Override
            public SeekableByteChannel open(Path file) throws IOException {
                throw new IOException();
            }
        };
        assertThatThrownBy(() -> open(sha256(CONTENT), unreadable))
                .isInstanceOf(PartialBlob.DiskException.class)
                .hasMessage("java.io.IOException");
    }

    @Test
    void aJobThatIsCancelledReadsNoFurtherAndKeepsWhatIsThere() throws IOException {
        Files.write(path(), Arrays.copyOf(CONTENT, 5));
        JobContext cancelled = new JobContext() {
            @Override
            public void progress(String stage, long done, long total, String unit) {}

            @Override
            public void notice(String message) {}

            @Override
            public boolean isCancelled() {
                return true;
            }

            @Override
            public <R> R cancellable(Runnable end, Supplier<R> work) {
                return work.get();
            }
        };
        assertThatThrownBy(() -> PartialBlob.open(
                        sha256(CONTENT), path(), settings(FileSystemAndClock.REAL), cancelled, told::add))
                .isInstanceOf(CancelledException.class);
        assertThat(told).isEmpty();
        assertThat(path()).hasBinaryContent(Arrays.copyOf(CONTENT, 5));
    }

    private PartialBlob open(RemoteFile file, FileSystemAndClock surroundings) throws IOException {
        return PartialBlob.open(file, path(), settings(surroundings), JobContext.NONE, told::add);
    }

    private HubSettings settings(FileSystemAndClock surroundings) {
        return new HubSettings(
                URI.create("http://localhost"),
                null,
                folder,
                true,
                1,
                1 << 20,
                0,
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                surroundings);
    }

    private Path path() {
        return folder.resolve("blob.incomplete");
    }

    private static RemoteFile sha256(byte[] content) {
        return new RemoteFile("model.bin", content.length, hex("SHA-256", content));
    }

    /** As git names a file: by the SHA-1 of its length and content. */
    private static RemoteFile git(byte[] content) {
        byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] whole = Arrays.copyOf(head, head.length + content.length);
        System.arraycopy(content, 0, whole, head.length, content.length);
        return new RemoteFile("model.bin", content.length, hex("SHA-1", whole));
    }

    private static String hex(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A channel that nothing can be written to. */
    private static final class FullDisk implements SeekableByteChannel {

        private final SeekableByteChannel disk;

        private FullDisk(SeekableByteChannel disk) {
            this.disk = disk;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            return disk.read(target);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            throw new IOException("No space left on device");
        }

        @Override
        public long position() throws IOException {
            return disk.position();
        }

        @Override
        public SeekableByteChannel position(long position) throws IOException {
            disk.position(position);
            return this;
        }

        @Override
        public long size() throws IOException {
            return disk.size();
        }

        @Override
        public SeekableByteChannel truncate(long size) throws IOException {
            disk.truncate(size);
            return this;
        }

        @Override
        public boolean isOpen() {
            return disk.isOpen();
        }

        @Override
        public void close() throws IOException {
            disk.close();
        }
    }
}
