package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.math.Float16;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Slices equal the whole tensor, by few reads of the file. */
class StoredTensorTest {

    private static final int REGION = 1 << 26;
    private static final int ELEMENTS = 50_000;

    private final HeldFile file = new HeldFile();

    private StoredTensor stored(String name) {
        return new StoredTensor(file, file.info(name), "model:" + name);
    }

    /** A tensor of small whole numbers, which all types have. */
    private float[] random(DType type, Random random) {
        ByteBuffer bytes = ByteBuffer.allocate(ELEMENTS * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) {
            values[i] = random.nextInt(255) - 127;
            switch (type) {
                case F64 -> bytes.putDouble(values[i]);
                case F32 -> bytes.putFloat(values[i]);
                case F16 -> bytes.putShort(Float16.fromFloat(values[i]));
                default -> bytes.putShort(Float16.toBfloat16(values[i]));
            }
        }
        file.with("w", type, bytes.array(), 2, ELEMENTS / 2);
        return values;
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16"})
    void slicesEqualTheWhole(DType type) {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        float[] whole = random(type, random);
        TensorSource tensor = stored("w");
        TensorSource ready = tensor.ready();
        for (int run = 0; run < 60; run++) {
            int first = random.nextInt(ELEMENTS);
            int count = run == 0 ? ELEMENTS - first : random.nextInt(Math.min(25_000, ELEMENTS - first) + 1);
            int at = random.nextInt(9);
            float[] due = new float[at + count + 2];
            Arrays.fill(due, 0.5f);
            float[] into = due.clone();
            System.arraycopy(whole, first, due, at, count);
            (run % 3 == 0 ? tensor : ready).read(first, count, into, at);
            assertThat(into)
                    .as("seed %d, run %d: %d from %d", seed, run, count, first)
                    .isEqualTo(due);
        }
    }

    @Test
    void aTensorTellsItsShapeLabelAndCosts() {
        for (DType type : StoredTensor.READABLE) {
            random(type, new Random(1));
            StoredTensor tensor = stored("w");
            for (TensorSource source : List.of(tensor, tensor.ready())) {
                assertThat(source.shape()).containsExactly(2L, ELEMENTS / 2L);
                assertThat(source.elements()).isEqualTo(ELEMENTS);
                assertThat(source.label()).isEqualTo("model:w");
                assertThat(source.storedBytes()).isEqualTo((long) ELEMENTS * type.blockBytes());
            }
            assertThat(tensor.isCheap()).isEqualTo(type == DType.F32 || type == DType.BF16);
        }
    }

    /** Element i is i mod 65,536; made when it is read. */
    private void large(DType type, long elements) {
        int size = type.blockBytes();
        file.with(
                "large",
                type,
                (offset, length) -> {
                    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
                    for (long i = offset / size; bytes.hasRemaining(); i++) {
                        if (size == 4) {
                            bytes.putFloat((int) i & 0xffff);
                        } else {
                            bytes.putDouble((int) i & 0xffff);
                        }
                    }
                    return bytes.flip();
                },
                elements);
    }

    private static void expect(TensorSource source, long first, int count) {
        float[] into = new float[count];
        source.read(first, count, into, 0);
        assertThat(into[0]).isEqualTo((float) (first & 0xffff));
        assertThat(into[count - 1]).isEqualTo((float) (first + count - 1 & 0xffff));
    }

    @Test
    void readsShareARegionOfTheFileUntilTheyLeaveIt() {
        int inRegion = REGION / 4;
        long elements = 2L * inRegion + 100;
        large(DType.F32, elements);
        TensorSource ready = stored("large").ready();
        expect(ready, 10, 5);
        expect(ready, 10, 10);
        expect(ready, 10 + inRegion - 7, 7);
        assertThat(file.reads).containsExactly(new HeldFile.Read("large", 40, REGION));
        expect(ready, 10 + inRegion - 7, 8);
        expect(ready, 9, 1);
        expect(ready, elements - 3, 3);
        assertThat(file.reads)
                .containsExactly(
                        new HeldFile.Read("large", 40, REGION),
                        new HeldFile.Read("large", 40 + REGION - 28, REGION),
                        new HeldFile.Read("large", 36, REGION),
                        new HeldFile.Read("large", 4 * (elements - 3), 12));
    }

    @Test
    void aReadLargerThanARegionIsOneRead() {
        int count = REGION / 8 + 1;
        large(DType.F64, 3L * count);
        expect(stored("large"), count, count);
        assertThat(file.reads).containsExactly(new HeldFile.Read("large", 8L * count, 8 * count));
    }
}
