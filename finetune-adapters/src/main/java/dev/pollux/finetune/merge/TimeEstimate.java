package dev.pollux.finetune.merge;

import dev.pollux.internal.Sha256;
import dev.pollux.internal.math.Kernels;
import dev.pollux.merging.MergePreview;
import java.security.MessageDigest;
import java.time.Duration;

/** Estimates the duration of a merge from a measurement that takes a fraction of a second. */
final class TimeEstimate {

    /*
     *   time = FIXED_SECONDS + (unit · Σ sources · elements · (cost + statistics) + hashing) / threads
     *
     * The unit is the time for one source element of a linear merge: decoding, weighting and its share of encoding.
     * MergeMethod.cost() is in this unit. Files are assumed to be in memory.
     */

    private static final int ELEMENTS = 1 << 16;
    private static final int RUNS = 400;

    /** Start, planning and compilation of the loops. */
    private static final double FIXED_SECONDS = 1.5;

    private TimeEstimate() {}

    static Duration of(MergePreview preview, MergeOptions options) {
        double units = 0;
        for (MergePreview.PlannedTensor tensor : preview.tensors()) {
            double elements = tensor.shape().stream().reduce(1L, (a, b) -> a * b);
            units += elements * tensor.sources().size() * (tensor.cost() + statistics(options));
        }
        double seconds =
                units * secondsPerUnit() + (options.hashInputs() ? preview.bytesToRead() * secondsToHash() : 0);
        return Duration.ofMillis(Math.round(1e3 * (FIXED_SECONDS + seconds / options.threads())));
    }

    private static double statistics(MergeOptions options) {
        return switch (options.statistics()) {
            case NONE -> 0;
            case SAMPLED -> 0.5;
            case ALL -> 2;
        };
    }

    private static double secondsToHash() {
        byte[] some = new byte[ELEMENTS];
        MessageDigest digest = Sha256.digest();
        return fastest(() -> digest.update(some)) / ELEMENTS;
    }

    /** Measures the loops of a linear merge on more memory than the processor's near caches can contain. */
    private static double secondsPerUnit() {
        float[] values = new float[ELEMENTS];
        float[] sums = new float[ELEMENTS];
        short[] halves = new short[ELEMENTS];
        return fastest(() -> unit(halves, values, sums)) / ELEMENTS;
    }

    /** The seconds of the fastest of many runs; in slower ones the code may not have been compiled. */
    private static double fastest(Runnable run) {
        long fastest = Long.MAX_VALUE;
        for (int i = 0; i < RUNS; i++) {
            long begin = System.nanoTime();
            run.run();
            fastest = Math.min(fastest, System.nanoTime() - begin);
        }
        return fastest / 1e9;
    }

    private static void unit(short[] halves, float[] values, float[] sums) {
        Kernels.BEST.decode(halves, ELEMENTS, values, 0);
        Kernels.BEST.add(values, 0.5f, sums, 0, ELEMENTS);
        Kernels.BEST.encode(sums, 0, ELEMENTS, halves);
    }
}
