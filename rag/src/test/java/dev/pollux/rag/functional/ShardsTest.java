package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.ChunkStrategy;
import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.knowledge.KnownDocument;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.rag.source.ShardReport;
import dev.pollux.rag.source.ShardWriter;
import dev.pollux.rag.source.Shards;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The parts of a source, computed apart, are the same knowledge base as the source itself. */
@NoLeaks
class ShardsTest {

    private static final int DOCUMENTS = 40;

    @TempDir
    private Path folder;

    private Path docs;
    private final HashingEmbedder embedder = new HashingEmbedder(16, 64);

    @BeforeEach
    void write() throws IOException {
        docs = Files.createDirectories(folder.resolve("docs/sub")).getParent();
        for (int i = 0; i < DOCUMENTS; i++) {
            String sub = i % 3 == 0 ? "sub/" : "";
            Files.writeString(
                    docs.resolve(sub + "d" + i + ".md"),
                    "# Title " + i + "\n\nA sentence of number " + i + ". ".repeat(i % 5) + "\n\nAnother. ".repeat(i));
        }
        Files.writeString(
                docs.resolve("rows.jsonl"), "{\"id\":1,\"text\":\"one\"}\nno JSON\n{\"id\":2,\"text\":\"two\"}\n");
        Files.writeString(docs.resolve("several.counted"), "apples\n---\npears");
        Files.write(docs.resolve("binary.txt"), new byte[] {0, 1, 2, 3});
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 50})
    void aMergedKnowledgeBaseIsThatOfTheSource(int parts) throws IOException {
        DocumentSource source = source();
        IngestReport direct;
        Map<String, String> expected;
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("direct"), embedder)) {
            direct = knowledge.ingest(source).run();
            expected = content(knowledge);
        }
        Shards shards = Shards.of(written(source, parts, ChunkOptions.DEFAULTS));
        try (KnowledgeBase knowledge =
                KnowledgeBase.open(folder.resolve("merged"), shards.embedder(new NoPassages(embedder)))) {
            IngestReport merged = knowledge.ingest(shards.source()).run();
            assertThat(content(knowledge)).isEqualTo(expected);
            assertThat(merged.added()).isEqualTo(direct.added());
            assertThat(merged.passages()).isEqualTo(direct.passages());
            assertThat(merged.failedRecords()).isEqualTo(direct.failedRecords()).isEqualTo(1);
            assertThat(merged.skippedFiles().files())
                    .containsExactlyInAnyOrderElementsOf(direct.skippedFiles().files());
            assertThat(merged.source()).isEqualTo(direct.source());
        }
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("merged"), embedder)) {
            assertThat(knowledge.ingest(source).run().unchanged()).isEqualTo(direct.added());
        }
    }

    @Test
    void sentencesThatTheChunkingEmbedsAreInTheShardsToo() throws IOException {
        ChunkOptions semantic =
                ChunkOptions.builder().strategy(ChunkStrategy.SEMANTIC).build();
        Shards shards = Shards.of(written(source(), 2, semantic));
        KnowledgeOptions options = KnowledgeOptions.builder().chunking(semantic).build();
        try (KnowledgeBase knowledge =
                KnowledgeBase.open(folder.resolve("merged"), shards.embedder(new NoPassages(embedder)), options)) {
            assertThat(knowledge.ingest(shards.source()).run().added()).isEqualTo(DOCUMENTS + 4);
        }
    }

    @Test
    void deletedDocumentsAreDeletedByTheNextMerge() throws IOException {
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder)) {
            knowledge.ingest(source()).run();
            Files.delete(docs.resolve("d1.md"));
            Shards shards = Shards.of(written(source(), 3, ChunkOptions.DEFAULTS));
            IngestReport merged = knowledge.ingest(shards.source()).run();
            assertThat(merged.deleted()).isEqualTo(1);
            assertThat(merged.added() + merged.updated()).isZero();
        }
    }

    @Test
    void missingAndForeignPartsAreRefused() throws IOException {
        List<Path> files = written(source(), 3, ChunkOptions.DEFAULTS);
        assertThatThrownBy(() -> Shards.of(List.of(files.get(0), files.get(2))))
                .isInstanceOf(StorageException.class)
                .hasMessage(
                        "The shards of docs have 3 parts, and parts [1] were not given; an ingest without them would"
                                + " delete their documents");
        assertThatThrownBy(() -> Shards.of(List.of(files.get(0), files.get(0), files.get(2))))
                .isInstanceOf(StorageException.class)
                .hasMessage("Shard " + files.get(0) + " is part 0 of 3 of docs, and " + files.get(0)
                        + " is part 0 of 3 of docs; give each part of one source once, by one embedder");
        Embedder other = new HashingEmbedder(32, 64);
        assertThatThrownBy(() -> Shards.of(files).embedder(other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The shards of docs have vectors of embedder hash-16, not of hashing (hash-32); write them"
                        + " with this embedder");
        assertThatThrownBy(() -> ShardWriter.of(embedder, ChunkOptions.DEFAULTS).write(source(), 3, 3, files.get(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("part must be in [0, parts) and parts in [1, 100000] but were 3 and 3");
    }

    @Test
    void everyDamagedByteIsFound() throws IOException {
        Path file = written(DocumentSource.folder(docs.resolve("sub")), 1, ChunkOptions.DEFAULTS)
                .get(0);
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i += 1 + i / 64) {
            byte[] changed = whole.clone();
            changed[i] ^= 4;
            Files.write(file, changed);
            assertThatThrownBy(() -> Shards.of(List.of(file)))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage("Shard " + file + " is damaged: its checksum does not match; write it again");
        }
    }

    private DocumentSource source() {
        return DocumentSource.folder(docs).withMetadata(List.of(MetadataRule.parse("sub/:kind=deep")));
    }

    private List<Path> written(DocumentSource source, int parts, ChunkOptions chunking) {
        ShardWriter writer = ShardWriter.of(embedder, chunking);
        List<Path> files = new ArrayList<>();
        int documents = 0;
        for (int part = 0; part < parts; part++) {
            Path file = folder.resolve("shards/" + part + ".shard");
            ShardReport report = writer.write(source, part, parts, file);
            documents += report.documents();
            files.add(file);
        }
        assertThat(documents).isPositive();
        return files;
    }

    private static Map<String, String> content(KnowledgeBase knowledge) {
        Map<String, String> content = new TreeMap<>();
        knowledge.documents().stream()
                .sorted(Comparator.comparing(KnownDocument::id))
                .forEach(document -> {
                    List<Passage> passages = knowledge.passages(document.source(), document.id());
                    content.put(document.toString(), passages.toString());
                });
        return content;
    }

    /** Refuses to embed passages. */
    private record NoPassages(Embedder embedder) implements Embedder {

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            if (role == TextRole.PASSAGE && texts.stream().anyMatch(text -> text.contains("Title"))) {
                throw new IllegalStateException("asked for " + texts);
            }
            return embedder.embed(texts, role);
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
}
