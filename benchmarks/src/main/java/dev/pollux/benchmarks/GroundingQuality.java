package dev.pollux.benchmarks;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.internal.Json;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.FalseSentences;
import dev.pollux.testkit.TrueSentences;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Twin;
import dev.pollux.twin.TwinOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How many false sentences a twin keeps and how many true ones it drops, on sentences that are made by rule from the
 * llm-twin articles and the contexts of reading-qa: those of every other document, which rules may be tuned on, and those
 * of the others.
 *
 * <p>Arguments: the data folder, the seed (default 1), and a file for the sentences that were judged wrongly (default:
 * none).
 */
public final class GroundingQuality {

    private static final int SENTENCES = 5;

    private static final int MOST_OF_A_KIND = 1_500;

    private record Text(String document, List<String> sentences) {}

    private record Trial(String kind, boolean isTrue, Text passage, String source, String written, boolean cited) {}

    private final Random random;
    private final Map<String, int[]> counts = new TreeMap<>();
    private final AtomicReference<String> script = new AtomicReference<>("");
    private final FakeGenerator model = FakeGenerator.answering(prompt -> script.get());
    private final PrintStream wrong;

    private GroundingQuality(long seed, PrintStream wrong) {
        this.random = new Random(seed);
        this.wrong = wrong;
    }

    /** Runs it. */
    public static void main(String[] args) throws IOException {
        if (args.length < 1) {
            throw new IllegalArgumentException("usage: GroundingQuality <data folder> [<seed> [<file>]]");
        }
        long seed = args.length > 1 ? Long.parseLong(args[1]) : 1;
        PrintStream wrong = args.length > 2
                ? new PrintStream(args[2], StandardCharsets.UTF_8)
                : new PrintStream(PrintStream.nullOutputStream());
        Path data = Path.of(args[0]);
        List<Text> texts = new ArrayList<>(articles(data.resolve("llm-twin").resolve("cleaned_documents.json")));
        for (String name : List.of("xquad-en.jsonl", "fairytaleqa-val.jsonl")) {
            texts.addAll(contexts(data.resolve("reading-qa").resolve(name)));
        }
        System.out.println("seed " + seed + ", " + texts.size() + " passages");
        new GroundingQuality(seed, wrong).run(texts);
        wrong.close();
    }

    private void run(List<Text> texts) {
        for (boolean tuned : new boolean[] {true, false}) {
            Map<String, List<Trial>> trials = new TreeMap<>();
            for (Text text : texts) {
                if ((text.document().hashCode() % 2 == 0) == tuned) {
                    trials(text)
                            .forEach(trial -> trials.computeIfAbsent(trial.kind(), k -> new ArrayList<>())
                                    .add(trial));
                }
            }
            counts.clear();
            trials.values().forEach(kind -> shuffled(kind).forEach(this::judge));
            report(tuned ? "tuned on" : "not tuned on");
        }
    }

    private List<Trial> shuffled(List<Trial> trials) {
        Collections.shuffle(trials, random);
        return trials.subList(0, Math.min(MOST_OF_A_KIND, trials.size()));
    }

    private List<Trial> trials(Text text) {
        List<Trial> trials = new ArrayList<>();
        for (int i = 0; i < text.sentences().size(); i++) {
            String sentence = text.sentences().get(i);
            int words = sentence.split("\\s+").length;
            if (words < 5 || words > 45 || !sentence.endsWith(".") || !Character.isUpperCase(sentence.charAt(0))) {
                continue;
            }
            for (FalseSentences.FalseSentence made : FalseSentences.of(text.sentences(), i, random)) {
                trials.add(new Trial("false " + made.kind(), false, text, sentence, made.text(), true));
            }
            for (TrueSentences.TrueSentence made : TrueSentences.of(sentence)) {
                boolean cited = random.nextBoolean();
                String kind = "true " + made.kind() + (cited ? "" : ", not cited");
                trials.add(new Trial(kind, true, text, sentence, made.text(), cited));
            }
        }
        return trials;
    }

    private void judge(Trial trial) {
        String passage = String.join(" ", trial.passage().sentences());
        Hit hit = new Hit(
                new Passage(
                        "p",
                        trial.passage().document(),
                        List.of(),
                        passage,
                        0,
                        passage.length(),
                        Location.lines(1, 1),
                        Map.of()),
                1);
        script.set(trial.cited() ? trial.written().replaceFirst("\\W*$", " [1].") : trial.written());
        Twin twin = Twin.builder()
                .retriever(query -> List.of(hit))
                .generator(model)
                .options(TwinOptions.builder()
                        .style(TwinOptions.Style.WRITE)
                        .minOverlap(0)
                        .generation(GenerationOptions.builder().maxTokens(300).build())
                        .build())
                .build();
        Answer answer = twin.ask("What is said of "
                + Stream.of(trial.source().split("\\s+")).limit(4).collect(Collectors.joining(" ")) + "?");
        boolean kept = answer.kind() == Answer.Kind.WRITTEN && answer.dropped().isEmpty();
        int[] count = counts.computeIfAbsent(trial.kind(), k -> new int[2]);
        count[0]++;
        if (kept != trial.isTrue()) {
            count[1]++;
            wrong.println(trial.kind() + "\t" + trial.written() + "\n\t<- " + trial.source() + "\n\t"
                    + (kept ? answer.citations().get(0).quote() : answer.dropped()));
        }
    }

    private void report(String half) {
        System.out.printf(
                "%nHalf of the documents that was %s%n%-34s %8s %8s %8s%n", half, "kind", "count", "wrong", "%");
        Map<String, int[]> sums = new LinkedHashMap<>();
        counts.forEach((kind, count) -> {
            line(kind, count);
            int[] sum = sums.computeIfAbsent(kind.substring(0, kind.indexOf(' ')), k -> new int[2]);
            sum[0] += count[0];
            sum[1] += count[1];
        });
        sums.forEach((kind, sum) -> line(kind.equals("false") ? "false, kept" : "true, dropped", sum));
    }

    private static void line(String kind, int[] count) {
        System.out.printf(Locale.ROOT, "%-34s %8d %8d %8.2f%n", kind, count[0], count[1], 100.0 * count[1] / count[0]);
    }

    private static List<Text> articles(Path file) throws IOException {
        List<Text> texts = new ArrayList<>();
        for (JsonNode article :
                JsonNode.parse(Files.readAllBytes(file), file.toString()).path("artifact_data")) {
            texts.addAll(passages(
                    article.path("id").asString(), article.path("content").asString()));
        }
        return texts;
    }

    private static List<Text> contexts(Path file) throws IOException {
        Map<String, String> contexts = new LinkedHashMap<>();
        for (String line : Files.readAllLines(file)) {
            Map<?, ?> row =
                    (Map<?, ?>) Json.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), file.toString());
            contexts.put((String) row.get("context"), (String) row.get("document"));
        }
        List<Text> texts = new ArrayList<>();
        contexts.forEach((context, document) -> texts.addAll(passages(document, context)));
        return texts;
    }

    private static List<Text> passages(String document, String text) {
        String flat = text.replaceAll("\\s+", " ");
        BreakIterator breaks = BreakIterator.getSentenceInstance(Locale.ENGLISH);
        breaks.setText(flat);
        List<String> sentences = new ArrayList<>();
        int start = breaks.first();
        for (int end = breaks.next(); end != BreakIterator.DONE; end = breaks.next()) {
            String sentence = flat.substring(start, end).strip();
            if (!sentence.isEmpty()) {
                sentences.add(sentence);
            }
            start = end;
        }
        List<Text> texts = new ArrayList<>();
        for (int i = 0; i < sentences.size(); i += SENTENCES) {
            texts.add(new Text(document, List.copyOf(sentences.subList(i, Math.min(sentences.size(), i + SENTENCES)))));
        }
        return texts;
    }
}
