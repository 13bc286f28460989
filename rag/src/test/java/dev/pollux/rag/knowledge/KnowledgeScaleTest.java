package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.embedding.SimilarityScale;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scale of the embedder that a knowledge base measures and keeps. */
class KnowledgeScaleTest {

    private static final List<String> WORDS = List.of(("harbour lamp river stone bread winter garden letter copper"
                    + " window island doctor bridge violin market forest candle engine meadow ladder")
            .split(" "));

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(64, 128);

    @Test
    void anIngestMeasuresTheScaleAndKeepsIt() {
        SimilarityScale measured;
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            assertThat(knowledge.scale()).isEqualTo(SimilarityScale.NONE);
            List<String> stages = new ArrayList<>();
            knowledge
                    .ingest(source(40))
                    .onEvent(event -> {
                        if (event instanceof JobEvent.Progress progress) {
                            stages.add(progress.stage() + " " + progress.unit());
                        }
                    })
                    .run();
            measured = knowledge.scale();
            assertThat(stages).contains("calibrate sentences");
            assertThat(measured.sentences()).isBetween(40, 128);
            assertThat(measured.own()).isGreaterThan(measured.unrelated() + 0.2);
            assertThat(knowledge.stats().scale()).isEqualTo(measured);
        }
        long before = embedder.embedded();
        try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder, embedder)) {
            assertThat(knowledge.scale()).isEqualTo(measured);
        }
        try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder)) {
            assertThat(knowledge.scale()).isEqualTo(measured);
        }
        assertThat(embedder.embedded()).isEqualTo(before);
    }

    @Test
    void theScaleIsTheSameInWhateverOrderDocumentsCome() {
        List<Document> documents = new ArrayList<>(documents(300));
        SimilarityScale one = measured(folder.resolve("one"), documents);
        Collections.reverse(documents);
        assertThat(measured(folder.resolve("other"), documents)).isEqualTo(one);
    }

    @Test
    void itIsMeasuredAgainWhenTheDocumentsHaveChangedMuch() {
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            knowledge.ingest(source(40)).run();
            SimilarityScale first = knowledge.scale();
            long before = embedder.embedded();
            knowledge.ingest(source(45)).run();
            assertThat(embedder.embedded() - before).isEqualTo(5);
            assertThat(knowledge.scale()).isEqualTo(first);
            knowledge.ingest(source(80)).run();
            assertThat(knowledge.scale().sentences()).isGreaterThan(first.sentences());
        }
    }

    @Test
    void aKnowledgeBaseOfAnEarlierVersionIsMeasuredWhereItIsReadAndKeepsItFromTheNextIngestOn() throws IOException {
        SimilarityScale measured = measured(folder, documents(40));
        removeScale();
        try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder, embedder)) {
            assertThat(knowledge.stats().scale()).isEqualTo(SimilarityScale.NONE);
            assertThat(knowledge.scale()).isEqualTo(measured);
            long before = embedder.embedded();
            assertThat(knowledge.scale()).isEqualTo(measured);
            assertThat(embedder.embedded()).isEqualTo(before);
        }
        try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder)) {
            assertThat(knowledge.scale()).isEqualTo(SimilarityScale.NONE);
        }
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            assertThat(knowledge.ingest(source(40)).run().unchanged()).isEqualTo(40);
            assertThat(knowledge.stats().scale()).isEqualTo(measured);
        }
    }

    @Test
    void aCancelledMeasurementLeavesTheDocumentsAndIsMadeUpFor() {
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, embedder)) {
            Job<IngestReport> job = knowledge.ingest(source(40));
            job.onEvent(event -> {
                if (event instanceof JobEvent.Progress progress
                        && progress.stage().equals("calibrate")) {
                    job.cancel();
                }
            });
            assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
            assertThat(knowledge.stats().documents()).isEqualTo(40);
            assertThat(knowledge.stats().scale()).isEqualTo(SimilarityScale.NONE);
            assertThat(knowledge.ingest(source(40)).run().unchanged()).isEqualTo(40);
            assertThat(knowledge.stats().scale()).isNotEqualTo(SimilarityScale.NONE);
        }
    }

    @Test
    void commitDataOfAnotherRecipeAreNone() {
        MeasuredScale measured = new MeasuredScale(new SimilarityScale(0.125, 0.75, 90), 1000);
        assertThat(measured.text()).isEqualTo("1 0.125 0.75 90 1000");
        assertThat(MeasuredScale.of(Map.of(IndexLayout.COMMIT_SCALE, measured.text())))
                .isEqualTo(Optional.of(measured));
        for (String other : List.of("", "2 0.125 0.75 90 1000", "1 0.75 0.125 90 1000", "1 a 0.75 90 1000", "1 0.1")) {
            assertThat(MeasuredScale.of(Map.of(IndexLayout.COMMIT_SCALE, other)))
                    .isEmpty();
        }
    }

    private SimilarityScale measured(Path where, List<Document> documents) {
        try (KnowledgeBase knowledge = KnowledgeBase.open(where, embedder)) {
            knowledge.ingest(DocumentSource.of("s", documents)).run();
            return knowledge.scale();
        }
    }

    /** Makes the commit that a version would have made that knew no scale. */
    private void removeScale() throws IOException {
        try (Directory directory = FSDirectory.open(folder.resolve("index"));
                DirectoryReader reader = DirectoryReader.open(directory);
                IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
            Map<String, String> data = new HashMap<>(reader.getIndexCommit().getUserData());
            data.remove(IndexLayout.COMMIT_SCALE);
            writer.setLiveCommitData(data.entrySet());
            writer.commit();
        }
    }

    private static DocumentSource source(int count) {
        return DocumentSource.of("s", documents(count));
    }

    /** Sentences of words taken by chance, the same in each run. */
    private static List<Document> documents(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    Random random = new Random(i);
                    StringBuilder text = new StringBuilder("The " + WORDS.get(random.nextInt(WORDS.size())));
                    for (int word = 0; word < 7; word++) {
                        text.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
                    }
                    return new Document(
                            "d" + i,
                            "text/plain",
                            text.append(" and " + i + ".").toString(),
                            Map.of());
                })
                .toList();
    }
}
