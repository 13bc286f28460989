package dev.pollux.benchmarks.micro;

import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.testkit.FakeEmbedder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The ten best passages of a knowledge base by the exact scan of its vectors, by BM25, and by both. The vectors have 384
 * elements and cost nothing to make, so what is measured is the search. Words are drawn by Zipf's law.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SearchBenchmark {

    private static final int DIMENSION = 384;
    private static final int VOCABULARY = 20_000;
    private static final int WORDS = 60;
    private static final Query QUERY = Query.of("w3 w17 w170 w1700", 10);

    /** Passages of the knowledge base. */
    @Param({"1000", "20000"})
    int passages;

    private Path folder = Path.of("");
    private final List<AutoCloseable> opened = new ArrayList<>();
    private Retriever dense = query -> List.of();
    private Retriever lexical = query -> List.of();
    private Retriever hybrid = query -> List.of();

    /** Ingests the passages. */
    @Setup(Level.Trial)
    public void ingest() throws IOException {
        Random random = new Random(1);
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < passages; i++) {
            StringBuilder text = new StringBuilder();
            for (int word = 0; word < WORDS; word++) {
                text.append('w')
                        .append((int) Math.pow(VOCABULARY, random.nextDouble()))
                        .append(' ');
            }
            documents.add(new Document("document " + i, "text/plain", text.toString(), Map.of()));
        }
        folder = Files.createTempDirectory("search");
        FakeEmbedder embedder = FakeEmbedder.open(DIMENSION, 512);
        KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("knowledge"), embedder);
        opened.add(knowledge);
        opened.add(embedder);
        knowledge.ingest(DocumentSource.of("documents", documents)).run();
        dense = knowledge.denseRetriever();
        lexical = knowledge.lexicalRetriever();
        hybrid = knowledge.retriever();
    }

    /** Closes and deletes the knowledge base. */
    @TearDown(Level.Trial)
    public void close() throws Exception {
        for (AutoCloseable closeable : opened) {
            closeable.close();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(SearchBenchmark::delete);
        }
    }

    private static void delete(Path path) {
        try {
            Files.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** By vectors. */
    @Benchmark
    public List<Hit> vectorScan() {
        return dense.retrieve(QUERY);
    }

    /** By words. */
    @Benchmark
    public List<Hit> bm25() {
        return lexical.retrieve(QUERY);
    }

    /** By both, fused. */
    @Benchmark
    public List<Hit> hybrid() {
        return hybrid.retrieve(QUERY);
    }
}
