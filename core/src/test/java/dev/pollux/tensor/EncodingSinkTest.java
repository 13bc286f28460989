package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.StorageException;
import dev.pollux.internal.math.Float16;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EncodingSinkTest {

    @TempDir
    Path folder;

    private final AtomicLong written = new AtomicLong();
    private Path file;
    private FileChannel channel;

    @BeforeEach
    void openFile() throws IOException {
        file = folder.resolve("weights");
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    @AfterEach
    void closeFile() throws IOException {
        channel.close();
    }

    private EncodingSink sink(DType type, long offset) {
        return EncodingSink.of(type, channel, offset, written, EncodingSink.buffer());
    }

    private ByteBuffer content() throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** More elements than the buffer has, in portions of any size. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void everyElementIsRoundedAndWrittenInItsPlace(DType type) throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int offset = 1 + random.nextInt(40);
        int count = 200_000 + random.nextInt(1000);
        float[] values = new float[count];
        EncodingSink sink = sink(type, offset);
        for (int at = 0; at < count; ) {
            float[] some = new float[Math.min(1 + random.nextInt(70_000), count - at)];
            for (int i = 0; i < some.length; i++) {
                some[i] = (float) random.nextGaussian();
            }
            int taken = random.nextInt(some.length) + 1;
            System.arraycopy(some, 0, values, at, taken);
            sink.put(some, taken);
            at += taken;
        }
        sink.flush();
        ByteBuffer bytes = content();
        assertThat(bytes.remaining()).isEqualTo(offset + count * type.blockBytes());
        assertThat(written).hasValue((long) count * type.blockBytes());
        bytes.position(offset);
        for (int i = 0; i < count; i++) {
            int stored = type == DType.F32 ? bytes.getInt() : bytes.getShort();
            int due = switch (type) {
                case F32 -> Float.floatToRawIntBits(values[i]);
                case F16 -> Float16.fromFloat(values[i]);
                default -> Float16.toBfloat16(values[i]);
            };
            assertThat(stored).as("seed %d, element %d", seed, i).isEqualTo(due);
        }
    }

    @Test
    void aBufferIsWrittenWhenNoFurtherElementFits() throws IOException {
        ByteBuffer small = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
        small.position(7);
        EncodingSink sink = EncodingSink.of(DType.F32, channel, 0, written, small);
        sink.put(new float[] {1}, 1);
        assertThat(written).hasValue(0);
        sink.put(new float[] {2, 3, 4}, 2);
        assertThat(written).hasValue(8);
        sink.flush();
        assertThat(written).hasValue(12);
        sink.flush();
        ByteBuffer bytes = content();
        assertThat(bytes.remaining()).isEqualTo(12);
        assertThat(new float[] {bytes.getFloat(), bytes.getFloat(), bytes.getFloat()})
                .containsExactly(1, 2, 3);
    }

    @Test
    void aFullBufferOfBytesIsWritten() {
        EncodingSink sink = sink(DType.F16, 0);
        sink.put(new float[65_535], 65_535);
        assertThat(written).hasValue(0);
        sink.put(new float[1], 1);
        assertThat(written).hasValue(1 << 17);
    }

    @Test
    void sinksShareACounterOfBytes() {
        written.set(5);
        EncodingSink first = sink(DType.F32, 0);
        EncodingSink second = sink(DType.F16, 100);
        first.put(new float[3], 3);
        second.put(new float[3], 3);
        first.flush();
        second.flush();
        assertThat(written).hasValue(5 + 12 + 6);
    }

    @Test
    void valuesThatAreNotFiniteAreCountedBeforeTheyAreRounded() {
        EncodingSink sink = sink(DType.F16, 0);
        float[] values = new float[9000];
        Arrays.fill(values, 4090, 4100, 1e6f);
        values[8999] = Float.NaN;
        sink.put(values, 9000);
        assertThat(sink.notFinite().isAny()).isTrue();
        sink.fact("branch", "lerp");
        sink.notFinite().addTo(sink);
        assertThat(sink.facts()).isEqualTo(Map.of("branch", "lerp", "overflows", "10", "notFinite", "1"));
    }

    @Test
    void aTypeOf16BitsIsNarrow() {
        assertThat(sink(DType.F32, 0).isNarrow()).isFalse();
        assertThat(sink(DType.F16, 0).isNarrow()).isTrue();
        assertThat(sink(DType.BF16, 0).isNarrow()).isTrue();
    }

    @Test
    void anotherTypeIsRefused() {
        EncodingSink sink = sink(DType.I16, 0);
        assertThatThrownBy(() -> sink.put(new float[1], 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("type must be F32, F16 or BF16 but was I16");
    }

    @Test
    void aFailureToWriteNamesItsCause() throws IOException {
        EncodingSink sink = sink(DType.F32, 0);
        sink.put(new float[1], 1);
        channel.close();
        assertThatThrownBy(sink::flush)
                .isInstanceOf(StorageException.class)
                .hasMessage("Cannot write merged weights: java.nio.channels.ClosedChannelException; is the disk full?");
    }
}
