package dev.pollux.finetune.train;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** The rows of an epoch in the order in which they are trained. <em>Immutable.</em> */
final class RowOrder {

    private final int[] rows;

    private RowOrder(int[] rows) {
        this.rows = rows;
    }

    /** Rows of a micro-batch, as places in the order. */
    record Range(int first, int end) {}

    static RowOrder of(int rows, long epoch, boolean shuffle, long seed) {
        int[] order = new int[rows];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        if (shuffle) {
            SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + epoch);
            for (int i = order.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                int swapped = order[i];
                order[i] = order[j];
                order[j] = swapped;
            }
        }
        return new RowOrder(order);
    }

    /** The rows as they are stored. */
    static RowOrder stored(int rows) {
        return of(rows, 0, false, 0);
    }

    /** The row at a place. */
    int row(int place) {
        return rows[place];
    }

    int[] rows() {
        return rows;
    }

    /** The number of steps of an epoch. */
    static long stepsOfEpoch(int rows, TrainingOptions options) {
        long batches = (rows + options.batchSize() - 1L) / options.batchSize();
        return Math.max(1, (batches + options.accumulation() - 1) / options.accumulation());
    }

    /** The micro-batches of a step; the last step of an epoch may have fewer. */
    static List<Range> ofStep(long step, int rows, TrainingOptions options) {
        int size = options.batchSize();
        List<Range> parts = new ArrayList<>();
        int first = Math.toIntExact(step % stepsOfEpoch(rows, options)) * size * options.accumulation();
        for (int i = 0; i < options.accumulation() && first < rows; i++) {
            int end = Math.min(rows, first + size);
            parts.add(new Range(first, end));
            first = end;
        }
        return parts;
    }
}
