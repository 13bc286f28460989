package dev.pollux.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Texts a second of the bundled embedder, against LangChain4j's class for the same model file, in one run.
 *
 * <p>Arguments: the {@code corpus.jsonl} of a BEIR set (default {@code ../shared/data/beir-scifact/corpus.jsonl}), the number of
 * sentences (default 400) and of rounds (default 7). In every round the contestants take turns, slice by slice of 100
 * distinct sentences, in an order that is reversed each time, so that another load on the machine falls on all alike; the
 * medians over the rounds are compared, by the clock and by processor time of the whole process, which tells waiting from
 * work. Both run on the same native runtime. Vectors are compared too: the same model on the same tokens must give the same directions.
 */
public final class EmbeddingRate {

    private final PrintStream out;
    private final List<String> sentences;
    private final int rounds;

    private static final String REFERENCE = "LangChain4j embedAll";
    private static final int SLICE = 100;

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** Something that embeds sentences, and its times: per round, seconds by the clock and of the processor. */
    private record Contestant(String name, Consumer<List<String>> run, List<double[]> rounds) {

        /** Texts a second in each round, sorted; {@code clock} 0 is the wall clock, 1 the processor's. */
        private double[] rates(int texts, int clock) {
            return rounds.stream()
                    .mapToDouble(times -> texts / times[clock])
                    .sorted()
                    .toArray();
        }
    }

    private EmbeddingRate(PrintStream out, List<String> sentences, int rounds) {
        this.out = out;
        this.sentences = sentences;
        this.rounds = rounds;
    }

    /** Runs the comparison. */
    public static void main(String[] args) throws IOException {
        Path corpus = Path.of(args.length > 0 ? args[0] : "../shared/data/beir-scifact/corpus.jsonl");
        int count = args.length > 1 ? Integer.parseInt(args[1]) : 400;
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 7;
        new EmbeddingRate(System.out, sentences(corpus, count), rounds).run();
    }

    private static List<String> sentences(Path corpus, int count) throws IOException {
        Set<String> sentences = new LinkedHashSet<>();
        try (Stream<String> lines = Files.lines(corpus)) {
            for (String line : (Iterable<String>) lines::iterator) {
                addSentences(JsonNode.parse(line).path("text").asString(""), sentences);
                if (sentences.size() >= count) {
                    break;
                }
            }
        }
        return sentences.stream().limit(count).toList();
    }

    private static void addSentences(String text, Set<String> sentences) {
        BreakIterator breaks = BreakIterator.getSentenceInstance(Locale.ENGLISH);
        breaks.setText(text);
        int from = breaks.first();
        for (int to = breaks.next(); to != BreakIterator.DONE; from = to, to = breaks.next()) {
            String sentence = text.substring(from, to).strip();
            if (sentence.length() >= 60 && sentence.length() <= 300) {
                sentences.add(sentence);
            }
        }
    }

    private void run() {
        EmbeddingModel langChain4j = new AllMiniLmL6V2QuantizedEmbeddingModel();
        EmbedderOptions one = EmbedderOptions.builder().workers(1).build();
        try (OnnxEmbedder pollux = OnnxEmbedder.bundled();
                OnnxEmbedder single = OnnxEmbedder.bundled(one)) {
            describe(pollux, langChain4j);
            List<Contestant> contestants = List.of(
                    contestant("Pollux", texts -> pollux.embed(texts, TextRole.PASSAGE)),
                    contestant("Pollux, 1 worker", texts -> single.embed(texts, TextRole.PASSAGE)),
                    contestant(
                            "Pollux, one by one",
                            texts -> texts.forEach(text -> pollux.embed(List.of(text), TextRole.PASSAGE))),
                    contestant(
                            REFERENCE,
                            texts -> langChain4j.embedAll(
                                    texts.stream().map(TextSegment::from).toList())),
                    contestant("LangChain4j embed", texts -> texts.forEach(langChain4j::embed)));
            round(contestants); // warm-up
            contestants.forEach(contestant -> contestant.rounds().clear());
            for (int round = 0; round < rounds; round++) {
                round(contestants);
            }
            report(contestants);
        }
    }

    private static Contestant contestant(String name, Consumer<List<String>> run) {
        return new Contestant(name, run, new ArrayList<>());
    }

    private void round(List<Contestant> contestants) {
        contestants.forEach(contestant -> contestant.rounds().add(new double[2]));
        List<Contestant> order = new ArrayList<>(contestants);
        for (int from = 0; from < sentences.size(); from += SLICE) {
            List<String> slice = sentences.subList(from, Math.min(sentences.size(), from + SLICE));
            order.forEach(contestant -> measure(contestant, slice));
            Collections.reverse(order);
        }
    }

    private static void measure(Contestant contestant, List<String> texts) {
        long begin = System.nanoTime();
        long beginCpu = SYSTEM.getProcessCpuTime();
        contestant.run().accept(texts);
        double[] times = contestant.rounds().get(contestant.rounds().size() - 1);
        times[0] += (System.nanoTime() - begin) / 1e9;
        times[1] += (SYSTEM.getProcessCpuTime() - beginCpu) / 1e9;
    }

    private void describe(OnnxEmbedder pollux, EmbeddingModel langChain4j) {
        int tokens = sentences.stream().mapToInt(pollux::countTokens).sum();
        List<String> sample = sentences.subList(0, Math.min(50, sentences.size()));
        float[][] vectors = pollux.embed(sample, TextRole.PASSAGE);
        double least = 1;
        for (int i = 0; i < sample.size(); i++) {
            float[] other = langChain4j.embed(sample.get(i)).content().vector();
            least = Math.min(least, cosine(vectors[i], other));
        }
        out.printf(
                Locale.ROOT,
                "%d sentences, %.1f tokens each, %d rounds, %d processors; least cosine of both %.7f%n",
                sentences.size(),
                (double) tokens / sentences.size(),
                rounds,
                Runtime.getRuntime().availableProcessors(),
                least);
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        double squaresA = 0;
        double squaresB = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            squaresA += (double) a[i] * a[i];
            squaresB += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(squaresA * squaresB);
    }

    private void report(List<Contestant> contestants) {
        Contestant reference = contestants.stream()
                .filter(contestant -> contestant.name().equals(REFERENCE))
                .findFirst()
                .orElseThrow();
        out.println(
                "| contestant | texts/s, median (least-most) | ratio | texts/processor-s, median (least-most) | ratio |");
        out.println("|---|---|---|---|---|");
        for (Contestant contestant : contestants) {
            out.println("| " + contestant.name() + cells(contestant, reference, 0) + cells(contestant, reference, 1)
                    + " |");
        }
        out.println("Ratios are to " + REFERENCE + ", medians of the ratios of each round.");
    }

    private String cells(Contestant contestant, Contestant reference, int clock) {
        double[] rates = contestant.rates(sentences.size(), clock);
        double[] ratios = new double[rounds];
        for (int round = 0; round < rounds; round++) {
            ratios[round] =
                    reference.rounds().get(round)[clock] / contestant.rounds().get(round)[clock];
        }
        Arrays.sort(ratios);
        return String.format(
                Locale.ROOT,
                " | %.0f (%.0f-%.0f) | %.2f",
                rates[rounds / 2],
                rates[0],
                rates[rounds - 1],
                ratios[rounds / 2]);
    }
}
