package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.internal.math.Float8;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The literals were made with PyTorch 2.15. */
class Float8Test {

    @Test
    void fourBitsOfExponentAreRead() {
        int[] bits = {0x01, 0x07, 0x08, 0x38, 0x7e, 0xfe, 0xb9, 0x00};
        float[] due = {0.001953125f, 0.013671875f, 0.015625f, 1.0f, 448.0f, -448.0f, -1.125f, 0f};
        for (int i = 0; i < bits.length; i++) {
            assertThat(Float8.e4m3((byte) bits[i])).isEqualTo(due[i]);
        }
        assertThat(Float8.e4m3((byte) 0x7f)).isNaN();
        assertThat(Float8.e4m3((byte) 0xff)).isNaN();
    }

    @Test
    void fiveBitsOfExponentAreRead() {
        int[] bits = {0x01, 0x3c, 0x7b, 0xc5};
        float[] due = {1.5258789e-5f, 1.0f, 57344.0f, -5.0f};
        for (int i = 0; i < bits.length; i++) {
            assertThat(Float8.e5m2((byte) bits[i])).isEqualTo(due[i]);
        }
    }

    @Test
    void powersOfTwoAreRead() {
        IntStream.range(0, 255)
                .forEach(bits -> assertThat((double) Float8.e8m0((byte) bits)).isEqualTo(Math.scalb(1.0, bits - 127)));
        assertThat(Float8.e8m0((byte) 255)).isNaN();
    }
}
