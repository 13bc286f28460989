package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DynamicTest;

/**
 * A block format for a test.
 *
 * @param writer fills a block with the layout of the format and calculates its values with the formula of the format
 */
record BlockFormat(DType type, Writer writer) {

    private static final int BLOCKS = 3;
    private static final int RUNS = 40;
    private static final int BEFORE = 5;

    @FunctionalInterface
    interface Writer {
        /** Fills {@code block}; {@code values} gets the exact value of each element, before rounding to float. */
        void write(BlockBytes block, double[] values);
    }

    /** Compares every element of several blocks bit for bit, and the elements around them, which must not change. */
    DynamicTest test() {
        return dynamicTest(type.name(), () -> {
            long seed = new Random().nextLong();
            Random random = new Random(seed);
            for (int run = 0; run < RUNS; run++) {
                check(random, "seed " + seed + ", run " + run);
            }
        });
    }

    private void check(Random random, String where) {
        int size = type.blockSize();
        ByteBuffer bytes = ByteBuffer.allocate(BLOCKS * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        float[] due = new float[BEFORE + BLOCKS * size + 1];
        Arrays.fill(due, -7.5f);
        float[] values = due.clone();
        for (int b = 0; b < BLOCKS; b++) {
            BlockBytes block = new BlockBytes(type, random);
            double[] exact = new double[size];
            writer.write(block, exact);
            bytes.put(block.bytes());
            for (int e = 0; e < size; e++) {
                due[BEFORE + b * size + e] = (float) exact[e];
            }
        }
        Dequantizer.decode(type, bytes.flip(), values, BEFORE, BLOCKS * size);
        assertThat(values).as(where).containsExactly(due);
    }
}
