package dev.pollux.rag.knowledge;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Retriever;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.RetrieverContract;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** The three retrievers keep the contract of all retrievers, and leave nothing open. */
class RetrieversOfKnowledgeBaseTest {

    @TempDir
    private Path folder;

    private FakeEmbedder embedder;
    private KnowledgeBase knowledge;

    @BeforeEach
    void open() {
        embedder = FakeEmbedder.open();
        knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder);
        knowledge
                .ingest(DocumentSource.of(
                        "s",
                        IntStream.range(0, 9)
                                .mapToObj(i -> new Document(
                                        "d" + i,
                                        "text/plain",
                                        "Models are merged in way " + i + ".",
                                        Map.of("way", i % 3 == 0 ? "odd" : "even")))
                                .toList()))
                .run();
    }

    @AfterEach
    void close() {
        knowledge.close();
        embedder.close();
    }

    @Nested
    class Hybrid extends Question {
        @Override
        public Retriever retriever() {
            return knowledge.retriever();
        }
    }

    @Nested
    class Dense extends Question {
        @Override
        public Retriever retriever() {
            return knowledge.denseRetriever();
        }
    }

    @Nested
    class Lexical extends Question {
        @Override
        public Retriever retriever() {
            return knowledge.lexicalRetriever();
        }
    }

    /** What all three are asked. */
    abstract static class Question implements RetrieverContract {
        @Override
        public String question() {
            return "How are models merged?";
        }
    }
}
