package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.math.Float16;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Float16Test {

    @Test
    void everyHalfIsItsFormulaAndComesBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Float16.toFloat((short) bits);
            assertThat(value).as("bits %04x", bits).isEqualTo(Float.valueOf((float) halfByFormula(bits)));
            if (!Float.isNaN(value)) {
                assertThat(Float16.fromFloat(value)).as("bits %04x", bits).isEqualTo((short) bits);
            }
        }
    }

    @Test
    void aNaNStaysOne() {
        assertThat(Float16.toFloat(Float16.fromFloat(Float.NaN))).isNaN();
        assertThat(Float16.toFloat(Float16.fromFloat(Float.intBitsToFloat(0x7f800001))))
                .isNaN();
    }

    @Test
    void whatHalfCannotHoldIsInfinite() {
        assertThat(Float16.toFloat(Float16.fromFloat(65519.99f))).isEqualTo(65504f);
        assertThat(Float16.toFloat(Float16.fromFloat(65520f))).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(Float16.toFloat(Float16.fromFloat(-1e30f))).isEqualTo(Float.NEGATIVE_INFINITY);
    }

    @Test
    void roundingGoesToTheNearestAndTiesToEven() {
        assertThat(Float16.toFloat(Float16.fromFloat(1 + 0x1p-11f))).isEqualTo(1f);
        assertThat(Float16.toFloat(Float16.fromFloat(1 + 0x3p-11f))).isEqualTo(1 + 0x1p-9f);
        assertThat(Float16.toFloat(Float16.fromFloat(0x1p-25f))).isZero();
        assertThat(Float16.toFloat(Float16.fromFloat(0x3p-25f))).isEqualTo(0x1p-23f);
        long seed = 42;
        Random random = new Random(seed);
        for (int i = 0; i < 100_000; i++) {
            float value = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(40) - 26));
            short half = Float16.fromFloat(value);
            double error = Math.abs((double) Float16.toFloat(half) - value);
            for (int step : new int[] {-1, 1}) {
                float neighbour = Float16.toFloat((short) (half + step));
                if (Float.isFinite(neighbour)) {
                    assertThat(error)
                            .as("seed %d, value %s", seed, value)
                            .isLessThanOrEqualTo(Math.abs((double) neighbour - value));
                }
            }
        }
    }

    @Test
    void bfloat16IsTheUpperHalfOfAFloat() {
        assertThat(Float16.fromBfloat16((short) 0x3f80)).isEqualTo(1f);
        assertThat(Float16.fromBfloat16((short) 0xc000)).isEqualTo(-2f);
        assertThat(Float16.fromBfloat16((short) 0x7f80)).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(Float16.fromBfloat16((short) 0x0001)).isEqualTo(0x1p-133f);
    }

    /** (-1)^s · 2^(e-15) · (1 + f/1024), subnormal where e is 0. */
    private static double halfByFormula(int bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude = exponent == 0 ? fraction * 0x1p-24 : Math.pow(2, exponent - 15) * (1 + fraction / 1024.0);
        if (exponent == 31) {
            magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        }
        return bits >> 15 == 0 ? magnitude : -magnitude;
    }
}
