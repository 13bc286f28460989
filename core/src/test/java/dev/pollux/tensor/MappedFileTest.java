package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.pollux.StorageException;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedFileTest {

    private static final int GIB = 1 << 30;

    @TempDir
    Path folder;

    private static TensorInfo bytes(long offset, long length) {
        return new TensorInfo("w", DType.U8, List.of(length), offset, length);
    }

    @Test
    void aRangeIsMappedReadOnlyInLittleEndianOrder() throws IOException {
        Path path = Files.write(folder.resolve("file"), new byte[] {1, 2, 3, 4, 5, 6});
        ByteBuffer range;
        try (MappedFile file = new MappedFile(path)) {
            assertThat(file.size()).isEqualTo(6);
            assertThat(file.path()).isEqualTo(path);
            assertThat(file.beginning().order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
            assertThat(file.beginning()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6}));
            range = file.map(1, 4);
            assertThat(range.isReadOnly()).isTrue();
            assertThat(range.remaining()).isEqualTo(4);
            assertThat(file.map(6, 0).remaining()).isZero();
        }
        assertThat(range.getInt()).as("after the file is closed").isEqualTo(0x05040302);
    }

    @Test
    void aClosedFileIsRefused() throws IOException {
        int open = OpenHandle.open().size();
        MappedFile file = new MappedFile(Files.write(folder.resolve("file"), new byte[3]));
        assertThat(OpenHandle.open()).hasSize(open + 1);
        file.close();
        file.close();
        assertThat(OpenHandle.open()).hasSize(open);
        assertThatThrownBy(() -> file.map(0, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(folder.resolve("file") + " is closed; open it again");
    }

    @Test
    void anAbsentFileIsNamed() {
        Path path = folder.resolve("absent");
        assertThatThrownBy(() -> new MappedFile(path))
                .isInstanceOf(StorageException.class)
                .hasMessage("Cannot open " + path + ": java.nio.file.NoSuchFileException: " + path);
    }

    @Test
    void anEmptyFileIsMapped() throws IOException {
        try (MappedFile file = new MappedFile(Files.createFile(folder.resolve("empty")))) {
            assertThat(file.size()).isZero();
            assertThat(file.map(0, 0).remaining()).isZero();
            assertThat(file.beginning().remaining()).isZero();
        }
    }

    @Test
    void theRangeOfATensorIsChecked() throws IOException {
        try (MappedFile file = new MappedFile(Files.write(folder.resolve("file"), new byte[] {1, 2, 3, 4, 5, 6}))) {
            TensorInfo info = bytes(2, 3);
            assertThat(file.slice(info, 0, 3)).isEqualTo(ByteBuffer.wrap(new byte[] {3, 4, 5}));
            assertThat(file.slice(info, 1, 2)).isEqualTo(ByteBuffer.wrap(new byte[] {4, 5}));
            assertThat(file.slice(info, 3, 0).remaining()).isZero();
            outside(file, info, -1, 2, "bytes -1 to 1 are outside w, which has 3");
            outside(file, info, 0, -1, "bytes 0 to -1 are outside w, which has 3");
            outside(file, info, 2, 2, "bytes 2 to 4 are outside w, which has 3");
            outside(file, info, 4, 0, "bytes 4 to 4 are outside w, which has 3");
            outside(
                    file,
                    bytes(0, 3L * GIB),
                    0,
                    GIB + 1,
                    "length must be at most 1073741824 but was 1073741825; read in pieces");
        }
    }

    private static void outside(MappedFile file, TensorInfo info, long offset, int length, String message) {
        assertThatThrownBy(() -> file.slice(info, offset, length))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    /** A file with a hole: it takes almost no space where the file system allows it. */
    @Test
    void rangesAcross2To30And2To31AreMapped() throws IOException {
        assumeThat(Files.getFileStore(folder).getUsableSpace()).isGreaterThan(8L * GIB);
        Path path = folder.resolve("large");
        long size = 2L * GIB + 100;
        long[] marks = {0, GIB - 1, GIB, 2L * GIB - 2, 2L * GIB - 1, 2L * GIB, size - 1};
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(size);
            for (int i = 0; i < marks.length; i++) {
                file.seek(marks[i]);
                file.write(i + 1);
            }
        }
        try (MappedFile file = new MappedFile(path)) {
            for (int i = 0; i < marks.length; i++) {
                assertThat(file.map(marks[i], 1).get()).isEqualTo((byte) (i + 1));
            }
            for (long from : new long[] {0, 1, GIB - 1, GIB, GIB + 1, size - GIB}) {
                ByteBuffer range = file.slice(bytes(0, size), from, GIB);
                for (int i = 0; i < marks.length; i++) {
                    if (marks[i] >= from && marks[i] < from + GIB) {
                        assertThat(range.get((int) (marks[i] - from)))
                                .as("byte %d from %d", marks[i], from)
                                .isEqualTo((byte) (i + 1));
                    }
                }
            }
            assertThat(file.beginning().remaining()).isEqualTo(Integer.MAX_VALUE);
            assertThat(file.map(size, 0).remaining()).isZero();
        }
    }

    @Test
    void anEmptyRangeAtTheEndOfAFileOf2To30BytesIsMapped() throws IOException {
        Path path = folder.resolve("full");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(GIB);
        }
        try (MappedFile file = new MappedFile(path)) {
            assertThat(file.map(GIB, 0).remaining()).isZero();
            assertThat(file.map(GIB - 1, 1).get()).isZero();
        }
    }
}
