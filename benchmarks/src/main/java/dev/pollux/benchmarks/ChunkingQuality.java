package dev.pollux.benchmarks;

import dev.pollux.embedding.Embedder;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.internal.Json;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.ChunkStrategy;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.search.ContextExpansion;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * How often the answer to a question is in what hybrid search shows, for each way to cut long documents: in the first and the first
 * five hits, and in the first 1,000 and 2,000 characters, since strategies differ in the length of their passages.
 *
 * <p>Arguments: a work folder, the number of questions, then files of questions about passages (JSON Lines with {@code document},
 * {@code context}, {@code question}, {@code answers}). The contexts of a document in order are one text. Of the first file, those
 * questions are asked whose answer is a span of the context; the others only add documents.
 */
public final class ChunkingQuality {

    private static final int HITS = 20;
    private static final int[] FIRST = {1, 5};
    private static final int[] CHARACTERS = {1000, 2000};

    private final Map<String, Set<String>> contexts = new LinkedHashMap<>(); // by document
    private final List<Question> questions = new ArrayList<>();

    private ChunkingQuality() {}

    /** A question with a span of its context as the answer. */
    private record Question(String text, String document, String context, String answer) {}

    /** Runs it. */
    public static void main(String[] args) throws IOException {
        if (args.length < 3) {
            throw new IllegalArgumentException("usage: ChunkingQuality <work folder> <questions> <file>...");
        }
        ChunkingQuality quality = new ChunkingQuality();
        for (int i = 2; i < args.length; i++) {
            quality.read(Path.of(args[i]), i == 2);
        }
        quality.run(Path.of(args[0]), Integer.parseInt(args[1]));
    }

    private void read(Path file, boolean asked) throws IOException {
        for (String line : Files.readAllLines(file)) {
            Map<?, ?> row =
                    (Map<?, ?>) Json.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)), file.toString());
            String document = String.valueOf(row.get("document"));
            String context = String.valueOf(row.get("context"));
            contexts.computeIfAbsent(document, key -> new LinkedHashSet<>()).add(context);
            List<?> answers = row.get("answers") instanceof List<?> given ? given : List.of();
            if (asked) {
                answers.stream()
                        .map(String::valueOf)
                        .filter(answer -> !answer.isBlank() && context.contains(answer))
                        .findFirst()
                        .ifPresent(answer -> questions.add(
                                new Question(String.valueOf(row.get("question")), document, context, answer)));
            }
        }
    }

    private void run(Path work, int most) throws IOException {
        List<Document> documents = new ArrayList<>();
        contexts.forEach(
                (name, texts) -> documents.add(new Document(name, "text/plain", String.join("\n\n", texts), Map.of())));
        int step = Math.max(1, questions.size() / most);
        List<Question> asked = new ArrayList<>();
        for (int i = 0; i < questions.size() && asked.size() < most; i += step) {
            asked.add(questions.get(i));
        }
        System.out.printf("%d documents, %d questions%n", documents.size(), asked.size());
        System.out.printf(
                "%-26s %8s %10s %8s %8s %8s %8s%n",
                "strategy", "passages", "characters", "hit 1", "hits 5", "1000 ch", "2000 ch");
        try (Embedder embedder = OnnxEmbedder.bundled()) {
            for (ChunkStrategy strategy : ChunkStrategy.values()) {
                ChunkOptions chunking =
                        ChunkOptions.builder().strategy(strategy).build();
                try (KnowledgeBase knowledge = KnowledgeBase.open(
                        work.resolve(strategy.name()),
                        embedder,
                        KnowledgeOptions.builder().chunking(chunking).build())) {
                    IngestReport report = knowledge
                            .ingest(DocumentSource.of("documents", documents))
                            .run();
                    System.err.printf(
                            "%s: ingest %.1f s%n", strategy, report.elapsed().toMillis() / 1000.0);
                    int passages = knowledge.stats().passages();
                    measure(strategy.name(), passages, knowledge.retriever(), asked);
                    if (strategy == ChunkStrategy.PARENT_CHILD) {
                        measure(
                                "  with parents",
                                passages,
                                ContextExpansion.parents(knowledge.retriever(), knowledge),
                                asked);
                    }
                    if (strategy == ChunkStrategy.SENTENCE_WINDOW) {
                        measure(
                                "  with 600 characters",
                                passages,
                                ContextExpansion.sections(knowledge.retriever(), knowledge, 600),
                                asked);
                    }
                }
            }
        }
    }

    private void measure(String name, int passages, Retriever retriever, List<Question> asked) {
        int[] first = new int[FIRST.length];
        int[] within = new int[CHARACTERS.length];
        long characters = 0;
        long hits = 0;
        for (Question question : asked) {
            List<Hit> found = retriever.retrieve(Query.of(question.text(), HITS));
            int length = 0;
            boolean held = false;
            for (int i = 0; i < found.size() && !held; i++) {
                Passage passage = found.get(i).passage();
                String shown = passage.lead() + passage.text();
                characters += shown.length();
                hits++;
                held = holds(passage, shown, question);
                for (int f = 0; f < FIRST.length && held; f++) {
                    first[f] += i < FIRST[f] ? 1 : 0;
                }
                int end = length
                        + (held
                                ? shown.indexOf(question.answer())
                                        + question.answer().length()
                                : 0);
                for (int c = 0; c < CHARACTERS.length && held; c++) {
                    within[c] += end <= CHARACTERS[c] ? 1 : 0;
                }
                length += shown.length();
            }
        }
        double all = asked.size();
        System.out.printf(
                Locale.ROOT,
                "%-26s %8d %10d %8.3f %8.3f %8.3f %8.3f%n",
                name,
                passages,
                characters / Math.max(1, hits),
                first[0] / all,
                first[1] / all,
                within[0] / all,
                within[1] / all);
    }

    /** Whether a passage is of the right document, meets the context of the question, and shows the answer. */
    private boolean holds(Passage passage, String shown, Question question) {
        if (!passage.document().equals(question.document()) || !shown.contains(question.answer())) {
            return false;
        }
        int begin = 0;
        for (String context : contexts.getOrDefault(question.document(), Set.of())) {
            if (context.equals(question.context())) {
                int from = passage.start() - passage.lead().length();
                return from < begin + context.length() && passage.end() > begin;
            }
            begin += context.length() + 2;
        }
        return false;
    }
}
