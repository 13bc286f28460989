package dev.pollux.merge;

import dev.pollux.merging.MergePreview;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Map;

/*
 * The unit is one source element of a linear merge: decoded, weighed, and its share of encoding. Factors are what other
 * methods cost of it, as docs/benchmarks.md has them measured. Files are taken to come at the speed of memory.
 */
/** How long a merge would take, from a measurement of a fraction of a second. */
final class TimeEstimate {

    private static final int ELEMENTS = 1 << 16;
    private static final int RUNS = 400;

    /** Starting, planning, and compiling the loops. */
    private static final double FIXED_SECONDS = 1.5;

    private static final Map<String, Double> FACTORS = Map.ofEntries(
            Map.entry("Linear", 1.0),
            Map.entry("TaskArithmetic", 1.0),
            Map.entry("Passthrough", 2.0),
            Map.entry("Slerp", 2.0),
            Map.entry("NuSlerp", 2.0),
            Map.entry("MultiSlerp", 2.0),
            Map.entry("Karcher", 2.0),
            Map.entry("ModelStock", 2.0),
            Map.entry("Ram", 2.0),
            Map.entry("Ties", 3.0),
            Map.entry("Dare", 3.5),
            Map.entry("NearSwap", 4.5),
            Map.entry("Breadcrumbs", 5.5),
            Map.entry("Della", 11.0),
            Map.entry("Sce", 14.0),
            Map.entry("ArceeFusion", 14.0));

    private TimeEstimate() {}

    static Duration of(MergePreview preview, MergeOptions options) {
        double units = 0;
        for (MergePreview.PlannedTensor tensor : preview.tensors()) {
            double elements = tensor.shape().stream().reduce(1L, (a, b) -> a * b);
            String method = tensor.method().replaceAll("\\[.*", "");
            units += elements * tensor.sources().size() * (FACTORS.getOrDefault(method, 4.0) + statistics(options));
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
        MessageDigest digest = PlanDigest.sha256();
        return fastest(() -> digest.update(some)) / ELEMENTS;
    }

    /** Measures the loops of a linear merge on memory that no cache near the processor holds whole. */
    private static double secondsPerUnit() {
        float[] values = new float[ELEMENTS];
        float[] sums = new float[ELEMENTS];
        short[] halves = new short[ELEMENTS];
        return fastest(() -> unit(halves, values, sums)) / ELEMENTS;
    }

    /** Seconds of the fastest of many runs: in the others the code may not have been compiled yet. */
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
        Lanes.BEST.decode(halves, ELEMENTS, values, 0);
        Lanes.BEST.add(values, 0.5f, sums, 0, ELEMENTS);
        Lanes.BEST.encode(sums, 0, ELEMENTS, halves);
    }
}
