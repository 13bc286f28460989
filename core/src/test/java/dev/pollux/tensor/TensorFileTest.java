package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TensorFileTest {

    private static final int PIECE = 1 << 24;

    private final HeldFile file = new HeldFile();

    private void refused(String name, long first, int count, String message) {
        assertThatThrownBy(() -> file.floats(name, first, count))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void slicesEqualTheWhole() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        ByteBuffer blocks = ByteBuffer.allocate(10 * 34).order(ByteOrder.LITTLE_ENDIAN);
        float[] whole = new float[320];
        for (int b = 0; b < 10; b++) {
            blocks.putShort((short) 0x3c00);
            for (int e = 0; e < 32; e++) {
                byte code = (byte) random.nextInt(256);
                blocks.put(code);
                whole[32 * b + e] = code;
            }
        }
        file.with("w", DType.Q8_0, blocks.array(), 10, 32);
        assertThat(file.floats("w")).as("seed %d", seed).isEqualTo(whole);
        for (int from = 0; from <= 10; from++) {
            for (int to = from; to <= 10; to++) {
                assertThat(file.floats("w", 32L * from, 32 * (to - from)))
                        .as("seed %d, blocks %d to %d", seed, from, to)
                        .isEqualTo(Arrays.copyOfRange(whole, 32 * from, 32 * to));
            }
        }
    }

    @Test
    void aSliceConsistsOfBlocksOfTheTensor() {
        file.with("w", DType.Q8_0, new byte[3 * 34], 3, 32);
        String blocks = "first and count must be multiples of 32, the block of Q8_0, but were ";
        refused("w", 1, 32, blocks + "1 and 32");
        refused("w", 32, 31, blocks + "32 and 31");
        refused("w", -32, 32, "elements -32 to 0 are outside w, which has 96");
        refused("w", 0, -32, "elements 0 to -32 are outside w, which has 96");
        refused("w", 64, 64, "elements 64 to 128 are outside w, which has 96");
        refused("w", 128, 0, "elements 128 to 128 are outside w, which has 96");
        assertThat(file.floats("w", 96, 0)).isEmpty();
        assertThat(file.reads).isEmpty();
    }

    @Test
    void anAbsentTensorIsNamed() {
        file.with("w", new float[1], 1);
        assertThat(file.info("w").name()).isEqualTo("w");
        assertThatThrownBy(() -> file.info("v"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("No tensor 'v' among 1");
    }

    @Test
    void manyElementsAreReadInPieces() {
        long rest = 10;
        file.with(
                "w",
                DType.I16,
                (offset, length) -> {
                    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
                    bytes.putShort(0, (short) (offset >> 20));
                    bytes.putShort(length - 2, (short) 7);
                    return bytes;
                },
                PIECE + rest + 8);
        float[] values = file.floats("w", 8, (int) (PIECE + rest));
        assertThat(values).hasSize((int) (PIECE + rest));
        assertThat(values[0]).isZero();
        assertThat(values[PIECE - 1]).isEqualTo(7);
        assertThat(values[PIECE]).isEqualTo(32);
        assertThat(values[(int) (PIECE + rest) - 1]).isEqualTo(7);
        assertThat(file.reads)
                .containsExactly(
                        new HeldFile.Read("w", 16, 2 * PIECE), new HeldFile.Read("w", 16 + 2L * PIECE, 2 * (int) rest));
    }

    @Test
    void aTensorTooLargeForAnArrayIsRefusedAsAWhole() {
        HeldFile.Content none = (offset, length) -> ByteBuffer.allocate(0);
        long most = Integer.MAX_VALUE - 8;
        file.with("large", DType.F32, none, 2, most / 2 + 1).with("unread", DType.U64, none, most);
        assertThatThrownBy(() -> file.floats("large"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("large has 2147483640 elements, more than an array holds; read it in pieces");
        assertThatThrownBy(() -> file.floats("unread"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageStartingWith("Tensor type U64 cannot be read yet, only [");
    }

    @Test
    void aDimensionIsAnIntOrRefused() {
        TensorInfo info =
                new TensorInfo("w", DType.F32, List.of(Integer.MAX_VALUE + 1L, (long) Integer.MAX_VALUE), 0, 0);
        assertThat(info.dim(1)).isEqualTo(Integer.MAX_VALUE);
        assertThat(new TensorInfo("w", DType.F32, List.of(3L, 5L), 0, 60).elements())
                .isEqualTo(15);
        assertThatThrownBy(() -> info.dim(0))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("Dimension 0 of w must be at most 2147483647 but is 2147483648; use a smaller model");
    }
}
