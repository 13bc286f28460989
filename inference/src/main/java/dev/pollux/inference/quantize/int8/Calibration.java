package dev.pollux.inference.quantize.int8;

import dev.pollux.ModelExecutionException;
import dev.pollux.inference.quantize.int8.ActivationRuns.Pass;
import dev.pollux.job.JobContext;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Finds the ranges of activations over calibration inputs. The values of one input at a time are in memory. <em>Immutable.</em> */
final class Calibration {

    private final ActivationRuns runs;
    private final RangeMethod method;

    Calibration(ActivationRuns runs, RangeMethod method) {
        this.runs = runs;
        this.method = method;
    }

    /**
     * An activation whose columns are divided before its range is found.
     *
     * @param activation its name in the float graph
     * @param divisors (width), or empty to leave it as it is
     */
    record Measured(String activation, float[] divisors) {

        static Measured of(String activation) {
            return new Measured(activation, new float[0]);
        }

        private float[] scaled(float[] x) {
            if (divisors.length == 0) {
                return x;
            }
            float[] scaled = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                scaled[i] = x[i] / divisors[i % divisors.length];
            }
            return scaled;
        }
    }

    /** The ranges of activations as they are. */
    Map<String, ValueRange> ranges(Collection<String> values, JobContext context) {
        Map<String, Measured> measured = new LinkedHashMap<>();
        values.forEach(value -> measured.put(value, Measured.of(value)));
        return ranges(measured, context);
    }

    /**
     * The ranges of activations. The model runs once over the inputs, or twice where the method needs it.
     *
     * @throws IllegalArgumentException if there are no inputs
     * @throws ModelExecutionException if a run fails, or a value is infinite
     */
    Map<String, ValueRange> ranges(Map<String, Measured> values, JobContext context) {
        Map<String, RangeCollector> collectors = new LinkedHashMap<>();
        values.forEach((value, of) -> collectors.put(value, new RangeCollector(method)));
        Set<String> activations = new LinkedHashSet<>();
        values.values().forEach(of -> activations.add(of.activation()));
        int passes = RangeCollector.passes(method);
        for (int pass = 0; pass < passes; pass++) {
            runs.read(
                    activations,
                    (activation, x) -> values.forEach((value, of) -> {
                        if (of.activation().equals(activation)) {
                            Objects.requireNonNull(collectors.get(value)).add(List.of(of.scaled(x)));
                        }
                    }),
                    new Pass(pass, passes, context));
            if (pass == 0 && passes > 1) {
                collectors.values().forEach(RangeCollector::beginCounting);
            }
        }
        Map<String, ValueRange> ranges = new LinkedHashMap<>();
        collectors.forEach((value, collector) -> ranges.put(value, range(value, collector)));
        return ranges;
    }

    private ValueRange range(String value, RangeCollector collector) {
        checkFinite(value, collector.extremes().low(), collector.extremes().high());
        return collector.range();
    }

    private void checkFinite(String value, float low, float high) {
        if (!Float.isFinite(low) || !Float.isFinite(high)) {
            throw new ModelExecutionException("The value " + value + " of " + runs.model()
                    + " is infinite for a calibration input; keep the operators that read it in float");
        }
    }

    /**
     * The largest magnitude of each column of activations.
     *
     * @param widths the number of columns, by activation
     * @return max |x_j|, (width), by activation
     * @throws ModelExecutionException if a run fails, or a value is infinite
     */
    Map<String, float[]> magnitudes(Map<String, Integer> widths, JobContext context) {
        Map<String, float[]> most = new LinkedHashMap<>();
        widths.forEach((value, width) -> most.put(value, new float[width]));
        runs.read(
                most.keySet(),
                (value, x) -> {
                    float[] columns = Objects.requireNonNull(most.get(value));
                    for (int i = 0; i < x.length; i++) {
                        int column = i % columns.length;
                        columns[column] = Math.max(columns[column], Math.abs(x[i]));
                    }
                },
                new Pass(0, 1, context));
        most.forEach((value, columns) -> {
            for (float column : columns) {
                checkFinite(value, column, column);
            }
        });
        return most;
    }
}
