package dev.pollux.benchmarks;

import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
 * Tokens a second of decoding and prefill against llama.cpp on the same file, in turns, with as many threads.
 *
 * <pre>
 * DecodeRate LLAMA_BENCH MODEL.gguf [RIVAL.gguf] [ROUNDS]
 * </pre>
 *
 * With a rival file, llama.cpp runs that one: the same model in the format it is fastest with.
 */
public final class DecodeRate {

    private static final int[] LENGTHS = {128, 512, 2048};
    private static final int DECODED = 32;

    private DecodeRate() {}

    /** Runs the comparison. */
    public static void main(String[] args) throws IOException, InterruptedException {
        String bench = args[0];
        Path model = Path.of(args[1]);
        Path rival = args.length > 2 ? Path.of(args[2]) : model;
        int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 5;
        int threads = Runtime.getRuntime().availableProcessors();
        Map<String, List<Double>> ours = new LinkedHashMap<>();
        Map<String, List<Double>> theirs = new LinkedHashMap<>();
        EngineOptions options = EngineOptions.builder().threads(threads).build();
        try (OnnxGenerator generator = OnnxGenerator.open(model, options)) {
            measure(generator.model(), new LinkedHashMap<>()); // warm-up
            for (int round = 0; round < rounds; round++) {
                measure(generator.model(), ours);
                llama(bench, rival, threads, theirs);
            }
        }
        print(ours, theirs);
    }

    private static void measure(DecoderModel model, Map<String, List<Double>> rates) {
        int[] ids = new Random(1)
                .ints(LENGTHS[LENGTHS.length - 1] + DECODED, 3, 40_000)
                .toArray();
        for (int length : LENGTHS) {
            try (DecoderSequence sequence = model.sequence()) {
                long begin = System.nanoTime();
                sequence.append(Arrays.copyOf(ids, length));
                add(rates, "prefill " + length, length, begin);
                begin = System.nanoTime();
                for (int i = 0; i < DECODED; i++) {
                    sequence.append(ids[length + i]);
                }
                add(rates, "decode at " + length, DECODED, begin);
            }
        }
    }

    private static void add(Map<String, List<Double>> rates, String what, int tokens, long begin) {
        rates.computeIfAbsent(what, key -> new ArrayList<>()).add(tokens * 1e9 / (System.nanoTime() - begin));
    }

    private static void llama(String bench, Path model, int threads, Map<String, List<Double>> rates)
            throws IOException, InterruptedException {
        String lengths = String.join(
                ",", Arrays.stream(LENGTHS).mapToObj(Integer::toString).toList());
        List<String> command = new ArrayList<>(List.of(bench, "-m", model.toString(), "-t", "" + threads));
        command.addAll(List.of("-fa", "1", "-r", "1", "-o", "json"));
        List<String> prefill = new ArrayList<>(command);
        prefill.addAll(List.of("-p", lengths, "-n", "0"));
        run(prefill)
                .forEach(row -> rates.computeIfAbsent(
                                "prefill " + row.path("n_prompt").asInt(), key -> new ArrayList<>())
                        .add(row.path("avg_ts").asDouble()));
        List<String> decode = new ArrayList<>(command);
        decode.addAll(List.of("-p", "0", "-n", "" + DECODED, "-d", lengths));
        run(decode)
                .forEach(row -> rates.computeIfAbsent(
                                "decode at " + row.path("n_depth").asInt(), key -> new ArrayList<>())
                        .add(row.path("avg_ts").asDouble()));
    }

    private static JsonNode run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String json = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + " ended with status " + process.exitValue());
        }
        return JsonNode.parse(json);
    }

    private static void print(Map<String, List<Double>> ours, Map<String, List<Double>> theirs) {
        System.out.println("| | Pollux, tokens/s | llama.cpp, tokens/s | ratio, median (min–max over rounds) |");
        System.out.println("|---|---|---|---|");
        ours.forEach((what, rates) -> {
            List<Double> rival = Objects.requireNonNull(theirs.get(what), what);
            List<Double> ratios = new ArrayList<>();
            for (int i = 0; i < rates.size(); i++) {
                ratios.add(rates.get(i) / rival.get(i));
            }
            ratios.sort(null);
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.0f | %.0f | %.2f (%.2f–%.2f) |%n",
                    what,
                    median(rates),
                    median(rival),
                    median(ratios),
                    ratios.get(0),
                    ratios.get(ratios.size() - 1));
        });
    }

    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
