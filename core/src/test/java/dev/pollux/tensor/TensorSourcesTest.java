package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Tensors in memory and tensors that are calculated from others. */
class TensorSourcesTest {

    private static final HeldTensor MATRIX = new HeldTensor(List.of(2L, 3L), new float[] {1, 2, 3, 4, 5, 6}, "m:w");

    /** A stored tensor. */
    private static TensorSource stored(float... values) {
        HeldFile file = new HeldFile().with("w", values, values.length);
        return new StoredTensor(file, file.info("w"), "s:w");
    }

    private static float[] read(TensorSource source, long first, int count) {
        float[] into = new float[count + 2];
        source.read(first, count, into, 1);
        return into;
    }

    @Test
    void aTensorInMemoryIsReadInPieces() {
        assertThat(MATRIX.elements()).isEqualTo(6);
        assertThat(MATRIX.storedBytes()).isZero();
        assertThat(MATRIX.isCheap()).isFalse();
        assertThat(MATRIX.ready()).isSameAs(MATRIX);
        assertThat(read(MATRIX, 1, 3)).containsExactly(0, 2, 3, 4, 0);
    }

    @Test
    void aScalarHasOneElement() {
        assertThat(new HeldTensor(List.of(), new float[] {7}, "").elements()).isEqualTo(1);
    }

    @Test
    void aShiftedTensorIsTheSumRoundedOnce() {
        TensorSource exact = stored(1, 1 << 24, -2, 8);
        TensorSource added = stored(3, 1, 4, 16);
        ShiftedTensor shifted = new ShiftedTensor(exact, added, 1.5, "sum");
        // 2^24 + 1.5 rounds to 2^24 + 2, the only float within 1.
        assertThat(read(shifted, 0, 4)).containsExactly(0, 5.5f, (1 << 24) + 2, 4, 32, 0);
        assertThat(read(shifted, 2, 2)).containsExactly(0, 4, 32, 0);
        double third = 1.0 / 3;
        assertThat(read(new ShiftedTensor(exact, added, third, ""), 2, 1))
                .containsExactly(0, (float) (-2 + third * 4), 0);
        assertThat(shifted.shape()).containsExactly(4L);
        assertThat(shifted.storedBytes()).isEqualTo(32);
        assertThat(shifted.label()).isEqualTo("sum");
    }

    @Test
    void aDerivedTensorHasShapeLabelAndSizeOfTheOneItIsCalculatedFrom() {
        TensorSource exact = stored(1, 2, 3);
        DerivedTensor negative = new DerivedTensor() {
            @Override
            public TensorSource exact() {
                return exact;
            }

            @Override
            public void read(long first, int count, float[] into, int at) {
                exact.read(first, count, into, at);
                for (int i = at; i < at + count; i++) {
                    into[i] = -into[i];
                }
            }
        };
        assertThat(negative.shape()).containsExactly(3L);
        assertThat(negative.label()).isEqualTo("s:w");
        assertThat(negative.storedBytes()).isEqualTo(12);
        assertThat(read(negative, 1, 2)).containsExactly(0, -2, -3, 0);
    }
}
