package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class Float16Test {

    @Test
    void everyHalfSurvivesTheWayToFloatAndBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Float16.toFloat((short) bits);
            if (Float.isNaN(value)) {
                assertThat(Float.isNaN(Float16.toFloat(Float16.fromFloat(value))))
                        .isTrue();
            } else {
                assertThat(Float16.fromFloat(value)).as("bits %x", bits).isEqualTo((short) bits);
            }
        }
    }

    @Test
    void everyBfloatSurvivesTheWayToFloatAndBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Float16.fromBfloat16((short) bits);
            if (Float.isNaN(value)) {
                assertThat(Float.isNaN(Float16.fromBfloat16(Float16.toBfloat16(value))))
                        .isTrue();
            } else {
                assertThat(Float16.toBfloat16(value)).as("bits %x", bits).isEqualTo((short) bits);
            }
        }
    }

    @Test
    void floatsGoToTheNearestHalfAndTiesToTheEvenOne() {
        long seed = 16;
        Random random = new Random(seed);
        for (int i = 0; i < 200_000; i++) {
            float value = (random.nextFloat() - 0.5f) * (float) Math.pow(2, random.nextInt(46) - 30);
            checkNearest(value, seed);
        }
        checkNearest(1 + 0x1p-11f, seed);
        checkNearest(1 + 3 * 0x1p-11f, seed);
        checkNearest(0x1p-25f, seed);
        checkNearest(3 * 0x1p-25f, seed);
        assertThat(Float16.fromFloat(65_519.996f)).isEqualTo((short) 0x7bff);
        assertThat(Float16.fromFloat(65_520)).isEqualTo((short) 0x7c00);
        assertThat(Float16.fromFloat(-1e30f)).isEqualTo((short) 0xfc00);
    }

    /** No neighbour is nearer, and at equal distance the last bit is 0. */
    private static void checkNearest(float value, long seed) {
        short half = Float16.fromFloat(value);
        double error = Math.abs((double) Float16.toFloat(half) - value);
        for (int step = -1; step <= 1; step += 2) {
            float neighbour = Float16.toFloat((short) (half + step));
            if (Float.isFinite(neighbour) && Math.signum(neighbour) * Math.signum(value) >= 0) {
                double other = Math.abs((double) neighbour - value);
                assertThat(error).as("%s, seed %d", value, seed).isLessThanOrEqualTo(other);
                assertThat(error == other && (half & 1) == 1)
                        .as("tie at %s, seed %d", value, seed)
                        .isFalse();
            }
        }
    }
}
