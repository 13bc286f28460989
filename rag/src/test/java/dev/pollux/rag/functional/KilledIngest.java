package dev.pollux.rag.functional;

import dev.pollux.job.JobEvent;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A program that ingests until it is killed, and prints how many documents of which round have been committed. */
public final class KilledIngest {

    static final int DOCUMENTS = 60;
    static final KnowledgeOptions OPTIONS =
            KnowledgeOptions.builder().commitPassages(5).build();

    private KilledIngest() {}

    /** Arguments: the knowledge base's folder, the first round. */
    public static void main(String[] args) {
        try (HashingEmbedder embedder = embedder();
                KnowledgeBase knowledge = KnowledgeBase.open(Path.of(args[0]), embedder, OPTIONS)) {
            for (int round = Integer.parseInt(args[1]); ; round++) {
                int current = round;
                knowledge
                        .ingest(source(current))
                        .onEvent(event -> {
                            if (event instanceof JobEvent.Progress progress
                                    && progress.stage().equals("commit")) {
                                System.out.println(current + " " + progress.done());
                            }
                        })
                        .run();
            }
        }
    }

    static HashingEmbedder embedder() {
        return new HashingEmbedder(16, 64);
    }

    /** The documents of a round: document i says so, and the round, in its one passage. */
    static DocumentSource source(int round) {
        List<Document> documents = IntStream.range(0, DOCUMENTS)
                .mapToObj(i -> new Document("d" + i, "text/plain", text(i, round), Map.of()))
                .toList();
        return DocumentSource.of("s", documents);
    }

    static String text(int document, int round) {
        return "document doc" + document + "x in round" + round + "x";
    }
}
