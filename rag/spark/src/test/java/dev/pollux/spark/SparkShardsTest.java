package dev.pollux.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnownDocument;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.Shards;
import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.FakeEmbedder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shards written by tasks of Spark in this JVM. */
class SparkShardsTest {

    private static final int DOCUMENTS = 30;

    private static JavaSparkContext spark;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        spark = new JavaSparkContext(new SparkConf()
                .setMaster("local[*]")
                .setAppName("pollux")
                .set("spark.ui.enabled", "false")
                .set("spark.log.level", "OFF")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.driver.host", "127.0.0.1"));
    }

    @AfterAll
    static void stop() {
        spark.close();
    }

    @Test
    void aKnowledgeBaseOfShardsIsThatOfTheSource() throws IOException {
        String docs = documents();
        List<Path> files = SparkShards.of(() -> DocumentSource.folder(Path.of(docs)), FakeEmbedder::open)
                .write(spark, folder.resolve("shards"), 5);
        assertThat(files).hasSize(5).allMatch(Files::exists);
        Shards shards = Shards.of(files);
        List<Passage> merged = new ArrayList<>();
        try (FakeEmbedder embedder = FakeEmbedder.open();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("merged"), shards.embedder(embedder))) {
            IngestReport report = knowledge.ingest(shards.source()).run();
            assertThat(report.added()).isEqualTo(DOCUMENTS);
            merged.addAll(passages(knowledge));
            assertThat(knowledge.retriever().retrieve(Query.of("harbour number 7")))
                    .first()
                    .satisfies(hit -> assertThat(hit.passage().document()).isEqualTo("d7.md"));
        }
        try (FakeEmbedder embedder = FakeEmbedder.open();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("direct"), embedder)) {
            knowledge.ingest(DocumentSource.folder(Path.of(docs))).run();
            assertThat(merged).isNotEmpty().isEqualTo(passages(knowledge));
        }
    }

    @Test
    void theFailureOfATaskIsThatOfTheJob() {
        String missing = folder.resolve("missing").toString();
        SparkShards shards = SparkShards.of(() -> DocumentSource.folder(Path.of(missing)), FakeEmbedder::open);
        assertThatThrownBy(() -> shards.write(spark, folder.resolve("shards"), 2))
                .isInstanceOf(SparkException.class)
                .hasMessageContaining(missing);
    }

    private static List<Passage> passages(KnowledgeBase knowledge) {
        return knowledge.documents().stream()
                .sorted(Comparator.comparing(KnownDocument::id))
                .flatMap(document -> knowledge.passages(document.source(), document.id()).stream())
                .toList();
    }

    private String documents() throws IOException {
        Path docs = Files.createDirectories(folder.resolve("docs"));
        for (int i : IntStream.range(0, DOCUMENTS).toArray()) {
            Files.writeString(
                    docs.resolve("d" + i + ".md"), "# Harbour\n\nShips of number " + i + " are in the harbour.");
        }
        return docs.toString();
    }
}
