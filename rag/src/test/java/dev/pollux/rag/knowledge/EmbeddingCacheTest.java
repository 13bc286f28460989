package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingCacheTest {

    private static final int DIMENSION = 16;
    private static final long SEED = 20_261_130;

    @TempDir
    private Path folder;

    @Test
    void aTextThatAnotherKnowledgeBaseEmbeddedIsNotEmbeddedAgain() {
        assertThat(ingest("a", "v1").embedded()).isEqualTo(20);
        IngestReport second = ingest("b", "v1");
        assertThat(second.embedded()).isZero();
        assertThat(second.reused()).isEqualTo(20);
        assertThat(vectors("b")).isEqualTo(vectors("a"));
        assertThat(ingest("c", "v2").embedded()).isEqualTo(20);
    }

    @Test
    void withoutACacheNothingIsShared() {
        KnowledgeOptions none = KnowledgeOptions.DEFAULTS;
        assertThat(ingest("a", "v1", none).embedded()).isEqualTo(20);
        assertThat(ingest("b", "v1", none).embedded()).isEqualTo(20);
    }

    @Test
    void damagedVectorsAreEmbeddedAgain() throws IOException {
        Random random = new Random(SEED);
        ingest("a", "v1");
        List<List<Float>> expected = vectors("a");
        for (Path file : files()) {
            byte[] bytes = Files.readAllBytes(file);
            for (int i = 0; i < bytes.length / 64; i++) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bytes);
        }
        ingest("b", "v1");
        assertThat(vectors("b")).as("seed " + SEED).isEqualTo(expected);
        assertThat(ingest("c", "v1").embedded()).as("seed " + SEED).isZero();
    }

    @Test
    void aFileThatWasCutOffOrIsNoneIsMadeAnew() throws IOException {
        ingest("a", "v1");
        for (Path file : files()) {
            Files.write(file, new byte[] {1, 2, 3});
        }
        assertThat(ingest("b", "v1").embedded()).isEqualTo(20);
        assertThat(ingest("c", "v1").embedded()).isZero();
    }

    @Test
    void aFolderThatCannotBeMadeIsNotUsed() throws IOException {
        Files.writeString(folder.resolve("cache"), "a file");
        assertThat(ingest("a", "v1").embedded()).isEqualTo(20);
        assertThat(ingest("b", "v1").embedded()).isEqualTo(20);
    }

    @Test
    void theFilesOfAnEmbedderStayBelowTheLimit() throws IOException {
        long most = 1 << 20;
        EmbedderInfo embedder = new EmbedderInfo("fake", "fake", DIMENSION, 64);
        int written = 40_000;
        int found = 0;
        try (VectorCache cache = VectorCache.open(new EmbeddingCache(folder.resolve("cache"), most), embedder)) {
            for (int i = 0; i < written; i++) {
                cache.put(Hashes.of("text " + i), vector(i));
            }
            for (int i = 0; i < written; i++) {
                float[] vector = cache.get(Hashes.of("text " + i)); // (dimension)
                if (vector != null) {
                    assertThat(vector).isEqualTo(vector(i));
                    found++;
                }
            }
            assertThat(cache.get(Hashes.of("text " + (written - 1)))).isEqualTo(vector(written - 1));
        }
        long bytes = 0;
        for (Path file : files()) {
            bytes += Files.size(file);
        }
        assertThat(bytes).isLessThanOrEqualTo(most);
        int room = (int) (most / (VectorTable.setBytes(DIMENSION) / 8));
        assertThat(found).isBetween(room * 9 / 10, room);
    }

    @Test
    void twoThatWriteAtOnceSeeEachOthersVectors() {
        EmbeddingCache cache = new EmbeddingCache(folder.resolve("cache"));
        EmbedderInfo embedder = new EmbedderInfo("fake", "fake", DIMENSION, 64);
        try (VectorCache one = VectorCache.open(cache, embedder);
                VectorCache other = VectorCache.open(cache, embedder)) {
            for (int i = 0; i < 100; i++) {
                (i % 2 == 0 ? one : other).put(Hashes.of("text " + i), vector(i));
            }
        }
        try (VectorCache read = VectorCache.open(cache, embedder)) {
            for (int i = 0; i < 100; i++) {
                assertThat(read.get(Hashes.of("text " + i))).isEqualTo(vector(i));
            }
        }
    }

    @Test
    void theVectorsOfTheLastEmbeddersAreKept() throws IOException {
        for (int i = 0; i < 2 * EmbeddingCache.EMBEDDERS; i++) {
            ingest("kb" + i, "v" + i);
        }
        try (Stream<Path> folders = Files.list(folder.resolve("cache"))) {
            assertThat(folders).hasSize(EmbeddingCache.EMBEDDERS);
        }
    }

    @Test
    void tooSmallALimitIsRefused() {
        assertThatThrownBy(() -> new EmbeddingCache(folder, 1000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxBytes must be at least 1048576 but was 1000");
    }

    private IngestReport ingest(String name, String embedder) {
        return ingest(
                name,
                embedder,
                KnowledgeOptions.builder()
                        .embeddingCache(new EmbeddingCache(folder.resolve("cache")))
                        .build());
    }

    private IngestReport ingest(String name, String embedder, KnowledgeOptions options) {
        List<Document> documents = IntStream.range(0, 20)
                .mapToObj(i -> new Document("d" + i, "text/plain", "the text number" + i, Map.of()))
                .toList();
        try (HashingEmbedder hashing = new HashingEmbedder(embedder, DIMENSION, 64);
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve(name), hashing, options)) {
            return knowledge.ingest(DocumentSource.of("s", documents)).run();
        }
    }

    private List<List<Float>> vectors(String name) {
        try (HashingEmbedder hashing = new HashingEmbedder("v1", DIMENSION, 64);
                KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder.resolve(name), hashing)) {
            return IntStream.range(0, 20)
                    .mapToObj(i -> knowledge.vectors(knowledge.passages("s", "d" + i))[0])
                    .map(row ->
                            IntStream.range(0, row.length).mapToObj(i -> row[i]).toList())
                    .toList();
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private static float[] vector(int seed) {
        Random random = new Random(seed);
        float[] vector = new float[DIMENSION];
        for (int i = 0; i < DIMENSION; i++) {
            vector[i] = random.nextFloat();
        }
        return vector;
    }
}
