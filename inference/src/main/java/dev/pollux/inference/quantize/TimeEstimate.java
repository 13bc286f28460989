package dev.pollux.inference.quantize;

import dev.pollux.artifact.Workers;
import dev.pollux.job.JobContext;
import dev.pollux.quantization.QuantizationMethod;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** How long a quantization takes on this machine. */
final class TimeEstimate {

    /** Bytes read and written per second, for work that only copies. */
    private static final double COPIED = 400e6;

    private static final int SAMPLED_ROWS = 64;
    private static final int WARM_UP = 2;

    private TimeEstimate() {}

    /** The time to read bytes and write them in another form. */
    static Duration copying(long bytes) {
        return Duration.ofNanos((long) (bytes / COPIED * 1e9));
    }

    /** Quantizes some rows of one matrix of each form, after a few that warm up. */
    static Duration of(GraphPlan plan, QuantizerOptions options) {
        Map<List<Object>, Double> nanosPerWeight = new HashMap<>();
        double nanos = 0;
        try (Workers workers = Workers.start("estimate", 1, JobContext.NONE)) {
            QuantizationRun run =
                    new QuantizationRun(JobContext.NONE, workers, 1, options.memory(), 1, new AtomicLong());
            for (MatrixPlan one : plan.plans()) {
                if (one.method() != QuantizationMethod.FLOAT16) {
                    List<Object> form = List.of(one.method(), one.format(), one.symmetric());
                    nanos += one.weight().elements()
                            * nanosPerWeight.computeIfAbsent(form, key -> measured(one, plan, run));
                }
            }
        }
        return Duration.ofNanos((long) (nanos / options.threads()))
                .plus(copying(plan.bytesBefore() + plan.bytesAfter()));
    }

    private static double measured(MatrixPlan one, GraphPlan plan, QuantizationRun run) {
        MatrixCoding coding = new MatrixCoding(one, plan.recipe(), run);
        for (int i = 0; i < WARM_UP; i++) {
            coding.sampledSquaredError(SAMPLED_ROWS);
        }
        long begin = System.nanoTime();
        coding.sampledSquaredError(SAMPLED_ROWS);
        return (System.nanoTime() - begin) / ((double) Math.min(SAMPLED_ROWS, one.rows()) * one.columns());
    }
}
