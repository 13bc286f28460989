package dev.pollux.benchmarks;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.encoder.Pooling;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Twin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What a quoting twin answers, with the bundled embedder or another: the right source first, the answer in the first quotes, refused
 * where the documents do not answer, lost where they do.
 *
 * <pre>
 * TwinQuality WORK TWIN DATA [-v] [-c] [-e FOLDER [-p POOLING] [-q PREFIX] [-d PREFIX]] [SET…]
 * </pre>
 *
 * <p>WORK is a folder for the knowledge bases, TWIN the folder {@code benchmarks/twin}, DATA that of the corpora. Sets:
 * <ul>
 *   <li>{@code company}: the documents of a made-up company, a third of whose questions have no answer;
 *   <li>{@code articles}: own questions on the articles of {@code llm-twin};
 *   <li>{@code xquad-tune}, {@code xquad-report}: each context is a document. Two contexts of five are left out of the
 *       base: their questions come near to the documents and are not answered there. Articles are split by hash between
 *       the two sets, so that what was tuned on one half is reported on the other;
 *   <li>{@code tales-tune}, {@code tales-report}: the same of FairytaleQA, questions whose answer stands in the text.
 * </ul>
 * {@code -v} prints each question that went wrong; {@code -c} keeps vectors from question to question, which is faster and makes
 * the times those of the rest of the work. {@code -e} names the folder of another embedder, {@code -p} its pooling,
 * {@code -q} and {@code -d} what it wants before questions and passages.
 */
public final class TwinQuality {

    private static final List<String> SETS =
            List.of("company", "articles", "xquad-tune", "xquad-report", "tales-tune", "tales-report");

    /** A question; without answers the documents do not answer it. */
    private record Question(String text, List<String> answers, Set<String> sources) {

        boolean isAnswerable() {
            return !answers.isEmpty();
        }
    }

    private record Collection(String name, DocumentSource documents, List<Question> questions) {}

    private final boolean verbose;

    private TwinQuality(boolean verbose) {
        this.verbose = verbose;
    }

    /** Runs it. */
    public static void main(String[] args) throws IOException {
        if (args.length < 3) {
            throw new IllegalArgumentException(
                    "usage: TwinQuality WORK TWIN DATA [-v] [-c] [-e FOLDER [-p POOLING] [-q PREFIX] [-d PREFIX]]"
                            + " [SET...]; sets are " + SETS);
        }
        boolean verbose = false;
        boolean cached = false;
        Map<String, String> given = new HashMap<>();
        List<String> named = new ArrayList<>();
        for (int i = 3; i < args.length; i++) {
            if (args[i].equals("-v")) {
                verbose = true;
            } else if (args[i].equals("-c")) {
                cached = true;
            } else if (args[i].startsWith("-")) {
                given.put(args[i], args[++i]);
            } else {
                named.add(args[i]);
            }
        }
        TwinQuality quality = new TwinQuality(verbose);
        System.out.println(
                "| set | questions | right source first | answer in the first quote | in the first two | refused"
                        + " when unanswerable | lost when answerable | ms, median | ms, p95 | scale |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|");
        try (Embedder opened = embedder(given)) {
            Embedder embedder = cached ? new Cached(opened, new HashMap<>()) : opened;
            for (String set : named.isEmpty() ? SETS : named) {
                quality.measure(Path.of(args[0]), collection(set, Path.of(args[1]), Path.of(args[2])), embedder);
            }
        }
    }

    /** Keeps every vector that it made. <em>Not thread-safe: one thread at a time.</em> */
    private record Cached(Embedder embedder, Map<String, float[]> vectors) implements Embedder {

        @Override
        public float[][] embed(List<String> texts, TextRole role) { // (texts, dimension)
            List<String> unknown = texts.stream()
                    .filter(text -> !vectors.containsKey(role + text))
                    .distinct()
                    .toList();
            float[][] rows = embedder.embed(unknown, role); // (unknown, dimension)
            for (int i = 0; i < rows.length; i++) {
                vectors.put(role + unknown.get(i), rows[i]);
            }
            return texts.stream().map(text -> vectors.get(role + text)).toArray(float[][]::new);
        }

        @Override
        public EmbedderInfo info() {
            return embedder.info();
        }

        @Override
        public int countTokens(String text) {
            return embedder.countTokens(text);
        }

        @Override
        public void close() {
            embedder.close();
        }
    }

    private static Embedder embedder(Map<String, String> given) {
        EmbedderOptions.Builder options = EmbedderOptions.builder();
        Optional.ofNullable(given.get("-p"))
                .map(name -> Pooling.valueOf(name.toUpperCase(Locale.ROOT)))
                .ifPresent(options::pooling);
        Optional.ofNullable(given.get("-q")).ifPresent(options::queryPrefix);
        Optional.ofNullable(given.get("-d")).ifPresent(options::passagePrefix);
        return Optional.ofNullable(given.get("-e"))
                .map(folder -> OnnxEmbedder.open(Path.of(folder), options.build()))
                .orElseGet(OnnxEmbedder::bundled);
    }

    private static Collection collection(String set, Path twin, Path data) throws IOException {
        String[] name = set.split("-");
        return switch (name[0]) {
            case "company" ->
                new Collection(
                        set, DocumentSource.folder(twin.resolve("company")), questions(twin.resolve("company.jsonl")));
            case "articles" -> new Collection(set, articles(data), questions(twin.resolve("articles.jsonl")));
            case "xquad" -> reading(set, data.resolve("reading-qa/xquad-en.jsonl"), half(name[1]));
            case "tales" -> reading(set, data.resolve("reading-qa/fairytaleqa-val.jsonl"), half(name[1]));
            default -> throw new IllegalArgumentException("There is no set " + set + "; sets are " + SETS);
        };
    }

    private static Predicate<String> half(String part) {
        int parity = part.equals("tune") ? 0 : 1;
        return document -> Math.floorMod(document.hashCode(), 2) == parity;
    }

    private static DocumentSource articles(Path data) throws IOException {
        JsonNode root = JsonNode.parse(Files.readString(data.resolve("llm-twin/cleaned_documents.json")));
        List<Document> documents = new ArrayList<>();
        for (JsonNode article : root.path("artifact_data")) {
            documents.add(
                    text(article.path("id").asString(), article.path("content").asString()));
        }
        return DocumentSource.of("articles", documents);
    }

    private static List<Question> questions(Path file) throws IOException {
        List<Question> questions = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            JsonNode row = JsonNode.parse(line);
            Set<String> sources = new TreeSet<>(texts(row.path("sources")));
            if (!row.path("source").isMissingNode()) {
                sources.add(row.path("source").asString());
            }
            questions.add(new Question(row.path("question").asString(), texts(row.path("answers")), sources));
        }
        return questions;
    }

    private static Collection reading(String set, Path file, Predicate<String> wanted) throws IOException {
        Map<String, Document> documents = new LinkedHashMap<>(); // by context
        List<Question> questions = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            JsonNode row = JsonNode.parse(line);
            String context = row.path("context").asString();
            List<String> answers = texts(row.path("answers"));
            if (!wanted.test(row.path("document").asString())
                    || answers.stream().noneMatch(answer -> holds(context, answer))) {
                continue;
            }
            boolean held = Math.floorMod(context.hashCode(), 5) < 2;
            String id = row.path("document").asString() + "-" + Integer.toHexString(context.hashCode());
            if (!held) {
                documents.putIfAbsent(context, text(id, context));
            }
            questions.add(
                    held
                            ? new Question(row.path("question").asString(), List.of(), Set.of())
                            : new Question(row.path("question").asString(), answers, Set.of(id)));
        }
        return new Collection(set, DocumentSource.of(set, List.copyOf(documents.values())), questions);
    }

    private static Document text(String id, String text) {
        return new Document(id, "text/plain", text, Map.of());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asString()));
        return texts;
    }

    private void measure(Path work, Collection collection, Embedder embedder) throws IOException {
        Path folder = work.resolve(collection.name());
        Files.createDirectories(folder);
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            knowledge.ingest(collection.documents()).run();
            Twin twin = Twin.builder()
                    .retriever(knowledge.retriever())
                    .embedder(embedder)
                    .scale(knowledge::scale)
                    .build();
            twin.ask(collection.questions().get(0).text()); // warm
            Counts counts = new Counts();
            for (Question question : collection.questions()) {
                long begin = System.nanoTime();
                Answer answer = twin.ask(question.text());
                counts.millis.add((System.nanoTime() - begin) / 1e6);
                String wrong = counts.add(question, answer);
                if (verbose && !wrong.isEmpty()) {
                    System.err.println(collection.name() + ": " + wrong + ": " + question.text() + " "
                            + question.answers() + "\n    " + shown(answer));
                }
            }
            System.out.println(counts.row(collection.name()) + " " + knowledge.scale() + " |");
        }
    }

    private static String shown(Answer answer) {
        return answer.evidence().stream()
                .map(e -> String.format(Locale.ROOT, "%.2f %s %s", e.score(), e.document(), flat(e.quote())))
                .reduce((a, b) -> a + "\n    " + b)
                .orElse("refused");
    }

    private static boolean holds(String text, String answer) {
        return flat(text).contains(flat(answer));
    }

    private static String flat(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFKC)
                .toLowerCase(Locale.ROOT)
                .replaceAll("[\\s*_`]+", " ")
                .strip();
    }

    private static final class Counts {

        private int answerable;
        private int unanswerable;
        private int source;
        private int first;
        private int firstTwo;
        private int refused;
        private int lost;
        private final List<Double> millis = new ArrayList<>();

        /** Counts an answer, and says what is wrong with it; nothing where it is right. */
        String add(Question question, Answer answer) {
            boolean unknown = answer.kind() == Answer.Kind.UNKNOWN;
            if (!question.isAnswerable()) {
                unanswerable++;
                refused += unknown ? 1 : 0;
                return unknown ? "" : "not refused";
            }
            answerable++;
            lost += unknown ? 1 : 0;
            if (unknown || answer.evidence().isEmpty()) {
                return "lost";
            }
            boolean right = question.sources().contains(answer.evidence().get(0).document());
            source += right ? 1 : 0;
            boolean one = holds(answer, 1, question);
            boolean two = holds(answer, 2, question);
            first += one ? 1 : 0;
            firstTwo += two ? 1 : 0;
            return two ? "" : right ? "answer not in the first two" : "other source";
        }

        private static boolean holds(Answer answer, int quotes, Question question) {
            return Stream.of(answer.evidence())
                    .flatMap(List::stream)
                    .limit(quotes)
                    .anyMatch(e -> question.answers().stream().anyMatch(a -> TwinQuality.holds(e.quote(), a)));
        }

        String row(String set) {
            List<Double> sorted = millis.stream().sorted().toList();
            return String.format(
                    Locale.ROOT,
                    "| %s | %d + %d | %s | %s | %s | %s | %s | %.0f | %.0f |",
                    set,
                    answerable,
                    unanswerable,
                    share(source, answerable),
                    share(first, answerable),
                    share(firstTwo, answerable),
                    share(refused, unanswerable),
                    share(lost, answerable),
                    DecodeRate.median(millis),
                    sorted.get((int) (0.95 * (sorted.size() - 1))));
        }

        private static String share(int part, int whole) {
            return part + " (" + Math.round(100.0 * part / Math.max(1, whole)) + " %)";
        }
    }
}
