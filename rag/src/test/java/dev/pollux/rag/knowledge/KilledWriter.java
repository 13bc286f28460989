package dev.pollux.rag.knowledge;

import dev.pollux.retrieval.Document;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A program that changes, compacts and rebuilds a knowledge base until it is killed, and prints the number of each finished step. */
public final class KilledWriter {

    static final String SOURCE = "s";

    /** Several commits a step, and background builds of vector files and graphs after each. */
    static final KnowledgeOptions OPTIONS = KnowledgeOptions.builder()
            .commitPassages(20)
            .indexThreads(1)
            .indexFrom(16, 300)
            .build();

    private static final int DOCUMENTS = 400;
    private static final int CHANGED = 50;
    private static final int DELETED = 20;

    private KilledWriter() {}

    /** Arguments: the knowledge base's folder, the first step. */
    public static void main(String[] args) {
        try (HashingEmbedder embedder = embedder();
                KnowledgeBase knowledge = KnowledgeBase.open(Path.of(args[0]), embedder, OPTIONS)) {
            for (int step = Integer.parseInt(args[1]); ; step++) {
                run(knowledge, step);
                System.out.println("done " + step);
            }
        }
    }

    static HashingEmbedder embedder() {
        return new HashingEmbedder(16, 64);
    }

    /** Two of four steps write documents, one deletes some, one compacts or rebuilds. */
    static void run(KnowledgeBase knowledge, int step) {
        switch (step % 4) {
            case 1 -> knowledge.delete(SOURCE, changed(step));
            case 3 -> (step % 8 == 3 ? knowledge.compact() : knowledge.rebuild()).run();
            default ->
                knowledge
                        .upsert(
                                SOURCE,
                                changed(step).stream()
                                        .map(id -> new Document(id, "text/plain", text(id, step), Map.of()))
                                        .toList())
                        .run();
        }
    }

    /** The step that wrote each document, after a step. */
    static void apply(Map<String, Integer> written, int step) {
        switch (step % 4) {
            case 1 -> changed(step).forEach(written::remove);
            case 3 -> {
                // the documents stay
            }
            default -> changed(step).forEach(id -> written.put(id, step));
        }
    }

    private static Set<String> changed(int step) {
        int count = step % 4 == 1 ? DELETED : CHANGED;
        return IntStream.range(0, count)
                .mapToObj(i -> "d" + Math.floorMod(step * 37 + i * 3, DOCUMENTS))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    static String text(String id, int step) {
        return "document " + id + "x of step" + step + "x";
    }

    static List<String> ids() {
        return IntStream.range(0, DOCUMENTS).mapToObj(i -> "d" + i).toList();
    }
}
