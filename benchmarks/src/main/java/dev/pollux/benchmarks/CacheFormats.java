package dev.pollux.benchmarks;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.CacheFormat;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * What a format of the cache loses and costs against 32-bit floats, on the same weights: perplexity, divergence and the share of
 * equal best tokens in windows of 512 and 2,048 tokens of a text, then the times of decoding and prefill, in turns.
 *
 * <pre>
 * CacheFormats MODEL.gguf TEXT [WEIGHTS] [ROUNDS]
 * </pre>
 *
 * Kernels for weights of 4 and 8 bits round activations to 8 bits, so that any other order of sums gives other bits. The row
 * "one by one" shows what that alone does: the same graph reads single tokens. {@code FLOAT} weights show the loss of the format
 * alone. With 0 rounds only the quality is measured, with {@code -} for the text only the times: processor time of one thread, which
 * other load hardly changes.
 */
public final class CacheFormats {

    private static final int[] WINDOWS = {512, 2048};
    private static final int[] LENGTHS = {128, 2048, 4096};
    private static final int TOKENS = 2_304;
    private static final int PIECE = 16;
    private static final int DECODED = 32;
    private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

    private CacheFormats() {}

    /** Exports the model with each format and measures. */
    public static void main(String[] args) throws IOException {
        WeightFormat weights = args.length > 2 ? WeightFormat.valueOf(args[2]) : WeightFormat.EXACT;
        int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 5;
        Path folder = Files.createTempDirectory("cache-formats");
        Map<CacheFormat, DecoderModel> models = new LinkedHashMap<>();
        int[] ids = {};
        EngineOptions engine = EngineOptions.builder().threads(1).build();
        try (Checkpoint checkpoint = Checkpoint.open(Path.of(args[0]));
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            if (!args[1].equals("-")) {
                int[] all = tokenizer.encode(Files.readString(Path.of(args[1])), true);
                ids = Arrays.copyOf(all, Math.min(all.length, TOKENS));
            }
            for (CacheFormat format : CacheFormat.values()) {
                Path target = folder.resolve(format.name());
                ExportOptions options =
                        ExportOptions.builder().weights(weights).cache(format).build();
                DecoderExport.export(checkpoint, target, options).run();
                models.put(format, DecoderModel.open(target, engine));
            }
        }
        if (ids.length > 0) {
            quality(models, ids);
        }
        if (rounds > 0) {
            rates(models, rounds);
        }
        models.values().forEach(DecoderModel::close);
    }

    private static void quality(Map<CacheFormat, DecoderModel> models, int[] ids) {
        System.out.println("| format | window | tokens | perplexity | ratio | KL, nats | same best token |");
        System.out.println("|---|---|---|---|---|---|---|");
        DecoderModel due = Objects.requireNonNull(models.get(CacheFormat.FLOAT32));
        for (int window : WINDOWS) {
            report("FLOAT32, one by one", window, read(due, due, ids, window, 1));
            models.forEach((format, model) -> {
                if (model != due) {
                    report(format.toString(), window, read(due, model, ids, window, PIECE));
                }
            });
        }
    }

    private static void report(String what, int window, Measures sum) {
        System.out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %.3f | %.5f | %.6f | %.4f |%n",
                what,
                window,
                sum.count,
                Math.exp(sum.loss / sum.count),
                Math.exp((sum.loss - sum.dueLoss) / sum.count),
                sum.divergence / sum.count,
                (double) sum.same / sum.count);
    }

    private static Measures read(DecoderModel due, DecoderModel model, int[] ids, int window, int piece) {
        Measures sum = new Measures();
        for (int from = 0; from + window <= ids.length; from += window) {
            int[] some = Arrays.copyOfRange(ids, from, from + window);
            try (DecoderSequence one = due.sequence();
                    DecoderSequence other = model.sequence()) {
                for (int at = 0; at < window; at += PIECE) {
                    compare(one, other, some, piece, sum);
                }
            }
        }
        return sum;
    }

    /** Reads the next tokens with both, and the second one {@code piece} of them at once. */
    private static void compare(DecoderSequence one, DecoderSequence other, int[] ids, int piece, Measures sum) {
        int from = one.length();
        List<float[]> rows = new ArrayList<>();
        one.append(Arrays.copyOfRange(ids, from, from + PIECE), (position, row) -> {
            float[] values = new float[row.remaining()];
            row.duplicate().get(values);
            rows.add(values);
        });
        for (int at = from; at < from + PIECE; at += piece) {
            other.append(Arrays.copyOfRange(ids, at, at + piece), (position, row) -> {
                if (position + 1 < ids.length) {
                    sum.add(FloatBuffer.wrap(rows.get(position - from)), row, ids[position + 1]);
                }
            });
        }
    }

    /** Sums over tokens. */
    private static final class Measures {
        private int count;
        private int same;
        private double dueLoss;
        private double loss;
        private double divergence;

        void add(FloatBuffer due, FloatBuffer actual, int next) {
            double dueSum = logSum(due);
            double sum = logSum(actual);
            int dueBest = 0;
            int best = 0;
            for (int i = 0; i < due.limit(); i++) {
                double p = due.get(i) - dueSum;
                divergence += Math.exp(p) * (p - (actual.get(i) - sum));
                dueBest = due.get(i) > due.get(dueBest) ? i : dueBest;
                best = actual.get(i) > actual.get(best) ? i : best;
            }
            count++;
            same += best == dueBest ? 1 : 0;
            dueLoss += dueSum - due.get(next);
            loss += sum - actual.get(next);
        }

        private static double logSum(FloatBuffer logits) {
            double most = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < logits.limit(); i++) {
                most = Math.max(most, logits.get(i));
            }
            double sum = 0;
            for (int i = 0; i < logits.limit(); i++) {
                sum += Math.exp(logits.get(i) - most);
            }
            return most + Math.log(sum);
        }
    }

    private static void rates(Map<CacheFormat, DecoderModel> models, int rounds) {
        int[] ids =
                new Random(1).ints(LENGTHS[LENGTHS.length - 1] + 2, 3, 40_000).toArray();
        Map<String, Map<CacheFormat, List<Double>>> times = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            if (round == 1) {
                times.clear(); // the first one warms up
            }
            models.forEach((format, model) -> measure(
                    model,
                    ids,
                    (what, time) -> times.computeIfAbsent(what, key -> new LinkedHashMap<>())
                            .computeIfAbsent(format, key -> new ArrayList<>())
                            .add(time)));
        }
        System.out.println("\n| | format | ms a step | time against FLOAT32, median (min–max over rounds) |");
        System.out.println("|---|---|---|---|");
        times.forEach((what, byFormat) -> byFormat.forEach((format, own) -> {
            List<Double> due = Objects.requireNonNull(byFormat.get(CacheFormat.FLOAT32));
            List<Double> ratios = new ArrayList<>();
            for (int i = 0; i < own.size(); i++) {
                ratios.add(own.get(i) / due.get(i));
            }
            ratios.sort(null);
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %s | %.2f | %.2f (%.2f–%.2f) |%n",
                    what,
                    format,
                    DecodeRate.median(own),
                    DecodeRate.median(ratios),
                    ratios.get(0),
                    ratios.get(ratios.size() - 1));
        }));
    }

    private interface Times {
        void add(String what, double milliseconds);
    }

    private static void measure(DecoderModel model, int[] ids, Times times) {
        try (DecoderSequence sequence = model.sequence()) {
            for (int length : LENGTHS) {
                int due = Math.max(0, length - 256);
                if (due > sequence.length()) {
                    sequence.append(Arrays.copyOfRange(ids, sequence.length(), due));
                }
                int before = sequence.length();
                long begin = CPU.getCurrentThreadCpuTime();
                sequence.append(Arrays.copyOfRange(ids, before, length));
                times.add(
                        "prefill of " + (length - before) + " to " + length,
                        (CPU.getCurrentThreadCpuTime() - begin) / 1e6);
                for (int rows : new int[] {1, 2}) {
                    double[] steps = new double[DECODED];
                    for (int i = 0; i < DECODED; i++) {
                        int[] step = Arrays.copyOfRange(ids, length, length + rows);
                        begin = CPU.getCurrentThreadCpuTime();
                        sequence.append(step);
                        steps[i] = (CPU.getCurrentThreadCpuTime() - begin) / 1e6;
                        sequence.truncate(length);
                    }
                    Arrays.sort(steps);
                    times.add("step of " + rows + " at " + length, steps[DECODED / 4]);
                }
            }
        }
    }
}
