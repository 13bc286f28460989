package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Kernels;
import dev.pollux.internal.math.SignVotes;
import dev.pollux.merging.MergeReport.Statistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** Collects statistics of the sources of one tensor from the windows that the method reads. <em>Confined to one thread.</em> */
final class SourceMeter {

    /** The name of the fact with the statistics in the journal. */
    static final String FACT = "statistics";

    /** Number of windows up to which all are measured; of larger tensors, every fourth window is. */
    private static final int ALL_BELOW = 8;

    private static final int STEP = 4;

    private final int sources;
    private final long elements;
    private final boolean sampled;
    private final double[][] gram; // (sources, sources), of the first source and the differences from it
    private final float[][] deltas; // (sources - 1, window)
    private float[] disputed = new float[0]; // of a window, as those below
    private float[] votes = new float[0];
    private float[] sizes = new float[0];
    private float[] signs = new float[0];
    private float[] signed = new float[0];
    private double conflicts;
    private long seen;

    SourceMeter(int sources, long elements, boolean sampled) {
        this.sources = sources;
        this.elements = elements;
        this.sampled = sampled;
        this.gram = new double[sources][sources];
        this.deltas = new float[sources - 1][];
    }

    /** Returns a meter for the options; empty for a single source. */
    static Optional<SourceMeter> of(TensorTask task, MergeOptions.Statistics detail) {
        return detail == MergeOptions.Statistics.NONE || task.models().size() < 2
                ? Optional.empty()
                : Optional.of(new SourceMeter(
                        task.models().size(), task.elements(), detail == MergeOptions.Statistics.SAMPLED));
    }

    /** Adds a window; all have the same size except the last. */
    void take(float[][] x, long first, int count) {
        long window = first / count; // the last, shorter window gets more weight, which is negligible
        if (sampled && elements > (long) ALL_BELOW * count && window % STEP != 0) {
            return;
        }
        seen += count;
        for (int i = 1; i < sources; i++) {
            deltas[i - 1] = Vectors.subtract(x[i], x[0], count, deltas[i - 1]);
        }
        for (int i = 0; i < sources; i++) {
            for (int j = 0; j <= i; j++) {
                gram[i][j] += Kernels.BEST.dot(i == 0 ? x[0] : deltas[i - 1], j == 0 ? x[0] : deltas[j - 1], 0, count);
            }
        }
        if (sources > 2) {
            addConflicts(count);
        }
    }

    private void addConflicts(int count) {
        disputed = Vectors.zeros(disputed, count);
        votes = Vectors.zeros(votes, count);
        sizes = Vectors.zeros(sizes, count);
        signs = Vectors.zeros(signs, count);
        signed = Vectors.zeros(signed, count);
        for (float[] delta : deltas) {
            Kernels.BEST.vote(delta, 1, 1, new SignVotes(votes, sizes, signs, signed), 0, count);
        }
        Kernels.BEST.conflicts(signs, signed, disputed, 0, count);
        conflicts += Kernels.BEST.magnitude(disputed, 0, count);
    }

    /** Returns the statistics. Norms are extrapolated from the measured windows to the whole tensor. */
    Statistics statistics() {
        double scale = seen == 0 ? 1 : (double) elements / seen;
        List<Double> changes = new ArrayList<>();
        List<Double> cosines = new ArrayList<>();
        List<Double> changeCosines = new ArrayList<>();
        for (int i = 0; i < sources; i++) {
            if (i > 0) {
                changes.add(Math.sqrt(gram[i][i] * scale));
            }
            for (int j = i + 1; j < sources; j++) {
                cosines.add(of(i, j) / Math.sqrt(of(i, i) * of(j, j)));
                if (i > 0) {
                    changeCosines.add(gram[j][i] / Math.sqrt(gram[i][i] * gram[j][j]));
                }
            }
        }
        return new Statistics(
                Math.sqrt(gram[0][0] * scale),
                changes,
                cosines,
                changeCosines,
                seen == 0 ? 0 : conflicts / seen,
                elements);
    }

    /** The inner product of two sources, from the products of the first source and the differences. */
    private double of(int i, int j) {
        if (i == 0) {
            return gram[0][0] + (j == 0 ? 0 : gram[j][0]);
        }
        return gram[0][0] + gram[i][0] + gram[j][0] + gram[Math.max(i, j)][Math.min(i, j)];
    }

    /** The statistics as a fact. */
    String text() {
        Statistics s = statistics();
        return Stream.of(
                        List.of(s.norm()),
                        s.changes(),
                        s.cosines(),
                        s.changeCosines(),
                        List.of(s.conflicts()),
                        List.of((double) s.elements()))
                .map(part -> part.stream().map(String::valueOf).collect(Collectors.joining(" ")))
                .collect(Collectors.joining("|"));
    }

    /** The statistics that {@link #text} wrote. */
    static Statistics parse(String text) {
        String[] parts = text.split("\\|", -1);
        return new Statistics(
                Double.parseDouble(parts[0]),
                numbers(parts[1]),
                numbers(parts[2]),
                numbers(parts[3]),
                Double.parseDouble(parts[4]),
                (long) Double.parseDouble(parts[5]));
    }

    private static List<Double> numbers(String text) {
        return text.isEmpty()
                ? List.of()
                : DoubleStream.of(Arrays.stream(text.split(" "))
                                .mapToDouble(Double::parseDouble)
                                .toArray())
                        .boxed()
                        .toList();
    }
}
