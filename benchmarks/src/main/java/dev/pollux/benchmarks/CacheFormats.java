package dev.pollux.benchmarks;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.CacheFormat;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a format of the cache loses and costs against 32-bit floats, on the same weights: perplexity, divergence and the share of
 * equal best tokens in windows of 512 and 2,048 tokens of a text, then the rates of decoding and prefill, in turns.
 *
 * <pre>
 * CacheFormats MODEL.gguf TEXT [ROUNDS]
 * </pre>
 */
public final class CacheFormats {

    private static final int[] WINDOWS = {512, 2048};
    private static final int[] LENGTHS = {128, 2048, 4096};
    private static final int TOKENS = 8_192;
    private static final int PIECE = 16;
    private static final int DECODED = 32;

    private CacheFormats() {}

    /** Exports the model with each format and measures. */
    public static void main(String[] args) throws IOException {
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 5;
        Path folder = Files.createTempDirectory("cache-formats");
        Map<CacheFormat, DecoderModel> models = new LinkedHashMap<>();
        int[] ids;
        try (Checkpoint checkpoint = Checkpoint.open(Path.of(args[0]));
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            int[] all = tokenizer.encode(Files.readString(Path.of(args[1])), true);
            ids = Arrays.copyOf(all, Math.min(all.length, TOKENS));
            for (CacheFormat format : CacheFormat.values()) {
                Path target = folder.resolve(format.name());
                ExportOptions options = ExportOptions.builder().cache(format).build();
                DecoderExport.export(checkpoint, target, options).run();
                models.put(format, DecoderModel.open(target, EngineOptions.DEFAULTS));
            }
        }
        quality(models, ids);
        rates(models, ids, rounds);
        models.values().forEach(DecoderModel::close);
    }

    private static void quality(Map<CacheFormat, DecoderModel> models, int[] ids) {
        System.out.println("| format | window | tokens | perplexity | ratio | KL, nats | same best token |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (int window : WINDOWS) {
            models.forEach((format, model) -> {
                Measures sum = new Measures();
                for (int from = 0; from + window <= ids.length; from += window) {
                    compare(models.get(CacheFormat.FLOAT32), model, Arrays.copyOfRange(ids, from, from + window), sum);
                }
                System.out.printf(
                        Locale.ROOT,
                        "| %s | %d | %d | %.3f | %.5f | %.6f | %.4f |%n",
                        format,
                        window,
                        sum.count,
                        Math.exp(sum.loss / sum.count),
                        Math.exp((sum.loss - sum.dueLoss) / sum.count),
                        sum.divergence / sum.count,
                        (double) sum.same / sum.count);
            });
        }
    }

    private static void compare(DecoderModel due, DecoderModel model, int[] ids, Measures sum) {
        int vocabulary = due.manifest().vocabularySize();
        float[] rows = new float[PIECE * vocabulary];
        try (DecoderSequence one = due.sequence();
                DecoderSequence other = model.sequence()) {
            for (int from = 0; from < ids.length; from += PIECE) {
                int start = from;
                int[] some = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + PIECE));
                one.append(some, (at, row) -> row.duplicate().get(0, rows, (at - start) * vocabulary, vocabulary));
                other.append(some, (at, row) -> {
                    if (at + 1 < ids.length) {
                        sum.add(
                                FloatBuffer.wrap(rows, (at - start) * vocabulary, vocabulary)
                                        .slice(),
                                row,
                                ids[at + 1]);
                    }
                });
            }
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

    private static void rates(Map<CacheFormat, DecoderModel> models, int[] ids, int rounds) {
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
            List<Double> due = byFormat.get(CacheFormat.FLOAT32);
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
                long begin = System.nanoTime();
                sequence.append(Arrays.copyOfRange(ids, before, length));
                times.add("prefill of " + (length - before) + " to " + length, (System.nanoTime() - begin) / 1e6);
                for (int rows : new int[] {1, 2}) {
                    double[] steps = new double[DECODED];
                    for (int i = 0; i < DECODED; i++) {
                        int[] step = Arrays.copyOfRange(ids, length, length + rows);
                        begin = System.nanoTime();
                        sequence.append(step);
                        steps[i] = (System.nanoTime() - begin) / 1e6;
                        sequence.truncate(length);
                    }
                    Arrays.sort(steps);
                    times.add("step of " + rows + " at " + length, steps[DECODED / 4]);
                }
            }
        }
    }
}
