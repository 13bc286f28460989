package dev.pollux.tensor;

import dev.pollux.internal.math.Float16;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** Bytes of a block, filled field by field, with fields of random or extreme values. */
final class BlockBytes {

    final Random random;
    private final byte[] bytes;

    BlockBytes(DType type, Random random) {
        this.random = random;
        this.bytes = new byte[type.blockBytes()];
    }

    /** Puts {@code value} into byte {@code at}, from bit {@code shift} on. */
    void put(int at, int shift, int value) {
        bytes[at] |= (byte) (value << shift);
    }

    /** Puts a half-precision number. */
    void half(int at, double value) {
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putShort(at, Float16.fromFloat((float) value));
    }

    /** Puts a 32-bit float. */
    void single(int at, float value) {
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(at, value);
    }

    /** A number of {@code bits} bits; 0 and the largest are frequent. */
    int draw(int bits) {
        int most = (1 << bits) - 1;
        return switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> most;
            default -> random.nextInt(most + 1);
        };
    }

    /** A scale in half precision: the largest, the smallest, 0, or any; of both signs. */
    double drawHalf() {
        double magnitude = switch (random.nextInt(5)) {
            case 0 -> 65504;
            case 1 -> 0x1p-24;
            case 2 -> 0;
            default -> Float16.toFloat(Float16.fromFloat(random.nextFloat()));
        };
        return random.nextBoolean() ? magnitude : -magnitude;
    }

    byte[] bytes() {
        return bytes;
    }
}
