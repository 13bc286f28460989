package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Trace;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Vector files and graphs, with segments that have them from a few hundred vectors on. */
@NoLeaks
class KnowledgeIndexTest {

    private static final int DOCUMENTS = 700;
    private static final KnowledgeOptions OPTIONS = KnowledgeOptions.builder()
            .backgroundIndex(false)
            .commitPassages(400)
            .indexThreads(2)
            .indexFrom(100, 401)
            .build();

    @TempDir
    private Path folder;

    private final HashingEmbedder embedder = new HashingEmbedder(32, 64);

    @Test
    void aGraphFindsWhatTheScanFinds() {
        try (KnowledgeBase knowledge = filled()) {
            List<List<String>> exact = answers(knowledge);
            assertThat(stages(knowledge, Filter.all())).contains("dense scan").doesNotContain("dense graph");
            IndexReport report = knowledge.compact().run();
            assertThat(report.segments()).isEqualTo(1);
            assertThat(report.vectorFiles()).isEqualTo(1);
            assertThat(report.graphs()).isEqualTo(1);
            assertThat(stages(knowledge, Filter.all())).contains("dense graph").doesNotContain("dense scan");
            assertThat(recall(answers(knowledge), exact)).isGreaterThan(0.97);
            assertThat(knowledge.stats().index().graphed()).isEqualTo(DOCUMENTS);
            assertThat(knowledge.index().run().bytes()).isZero();
        }
    }

    @Test
    void scoresDoNotDependOnThePlan() {
        try (KnowledgeBase knowledge = filled()) {
            List<Hit> scanned = knowledge.denseRetriever().retrieve(Query.of("word7 word11 word3", 1));
            knowledge.compact().run();
            assertThat(knowledge.denseRetriever().retrieve(Query.of("word7 word11 word3", 1)))
                    .isEqualTo(scanned);
        }
    }

    @Test
    void aFilterThatAllowsFewIsAScanAndEveryAllowedPassageIsFound() {
        try (KnowledgeBase knowledge = filled()) {
            knowledge.compact().run();
            Filter rare = Filter.equal("rest", 3);
            assertThat(stages(knowledge, rare)).contains("dense scan").doesNotContain("dense graph");
            assertThat(knowledge
                            .denseRetriever()
                            .retrieve(Query.of("word1", 1_000).withFilter(rare)))
                    .hasSize(DOCUMENTS / 10)
                    .allSatisfy(hit -> assertThat(hit.passage().metadata()).containsEntry("rest", "3"));
        }
    }

    @Test
    void deletedPassagesOfAGraphAreNotFoundAndTheListIsFull() {
        try (KnowledgeBase knowledge = filled()) {
            knowledge.compact().run();
            List<String> all =
                    knowledge.documents().stream().map(KnownDocument::id).toList();
            List<String> gone = all.subList(0, 100);
            knowledge.delete("s", gone);
            assertThat(stages(knowledge, Filter.all())).contains("dense graph");
            for (int i = 0; i < 20; i++) {
                assertThat(knowledge.denseRetriever().retrieve(Query.of("word" + i, 10)))
                        .hasSize(10)
                        .noneMatch(hit -> gone.contains(hit.passage().document()));
            }
            assertThat(knowledge.stats().index().deleted()).isEqualTo(100);
            knowledge.compact().run();
            assertThat(knowledge.stats().index().deleted()).isZero();
            assertThat(knowledge.stats().passages()).isEqualTo(DOCUMENTS - 100);
        }
    }

    @Test
    void aMissingOrDamagedFileCostsNoHitAndIsRebuilt() throws IOException {
        List<List<String>> before;
        try (KnowledgeBase knowledge = filled()) {
            knowledge.compact().run();
            before = answers(knowledge);
        }
        for (Path file : derived()) {
            byte[] whole = Files.readAllBytes(file);
            byte[] cut = java.util.Arrays.copyOf(whole, whole.length / 2);
            for (byte[] damaged : new byte[][] {null, cut, new byte[whole.length]}) {
                Files.delete(file);
                if (damaged != null) {
                    Files.write(file, damaged);
                }
                try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, OPTIONS)) {
                    assertThat(recall(before, answers(knowledge))).isGreaterThan(0.97);
                    assertThat(knowledge.index().run().bytes()).isPositive();
                    assertThat(stages(knowledge, Filter.all())).contains("dense graph");
                }
                assertThat(verify().faults()).isEmpty();
            }
        }
    }

    @Test
    void rebuildNeedsNothingButTheLuceneIndex() throws IOException {
        try (KnowledgeBase knowledge = filled()) {
            knowledge.compact().run();
        }
        for (Path file : derived()) {
            Files.delete(file);
        }
        Files.delete(folder.resolve("kb/vectors"));
        assertThat(verify().faults()).hasSize(2).allMatch(VerifyReport.Fault::derived);
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"))) {
            assertThat(knowledge.stats().passages()).isEqualTo(DOCUMENTS);
        }
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, OPTIONS)) {
            assertThat(knowledge.rebuild().run().graphs()).isEqualTo(1);
            assertThat(stages(knowledge, Filter.all())).contains("dense graph");
        }
        assertThat(verify().isWhole()).isTrue();
        assertThat(derived()).hasSize(2);
    }

    @Test
    void verifyFindsEveryFlippedByte() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (KnowledgeBase knowledge = filled()) {
            knowledge.index().run();
        }
        VerifyReport whole = verify();
        assertThat(whole.faults()).isEmpty();
        List<Path> files;
        try (Stream<Path> found = Files.walk(folder.resolve("kb"))) {
            files = found.filter(Files::isRegularFile)
                    .filter(file -> !file.endsWith("write.lock"))
                    .toList();
        }
        assertThat(whole.files()).isEqualTo(files.size());
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            for (int i = 0; i < 12; i++) {
                int at = i == 0 ? 0 : i == 1 ? bytes.length - 1 : random.nextInt(bytes.length);
                int mask = 1 << random.nextInt(8);
                bytes[at] ^= (byte) mask;
                Files.write(file, bytes);
                assertThat(verify().faults())
                        .as("seed %d, byte %d of %s", seed, at, file)
                        .isNotEmpty();
                bytes[at] ^= (byte) mask;
            }
            Files.write(file, bytes);
        }
        assertThat(verify().faults()).isEmpty();
    }

    @Test
    void aBackgroundBuildRunsOnTheHostsExecutorAndIsUsedByLaterQueries() throws InterruptedException {
        ExecutorService host = Executors.newSingleThreadExecutor();
        KnowledgeOptions options = KnowledgeOptions.builder()
                .commitPassages(1_000)
                .indexFrom(100, 400)
                .indexExecutor(host)
                .build();
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, options)) {
            ingest(knowledge);
            host.shutdown();
            assertThat(host.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
            assertThat(knowledge.stats().index().graphed()).isEqualTo(DOCUMENTS);
            assertThat(stages(knowledge, Filter.all())).contains("dense graph");
        }
        assertThat(verify().isWhole()).isTrue();
    }

    @Test
    void closingEndsABackgroundBuildAndTheNextOpeningFinishesIt() {
        KnowledgeOptions background = KnowledgeOptions.builder()
                .commitPassages(1_000)
                .indexFrom(100, 400)
                .build();
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, background)) {
            ingest(knowledge);
        }
        assertThat(verify().isWhole()).isTrue();
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, background)) {
            knowledge.index().run();
            assertThat(knowledge.stats().index().graphed()).isEqualTo(DOCUMENTS);
        }
    }

    @Test
    void anotherProcessSeesTheGraphAfterRefresh() {
        try (KnowledgeBase knowledge = filled();
                KnowledgeBase reader = KnowledgeBase.openReadOnly(folder.resolve("kb"), embedder, OPTIONS)) {
            assertThat(stages(reader, Filter.all())).doesNotContain("dense graph");
            knowledge.compact().run();
            assertThat(answers(reader)).hasSize(40); // its commit still has all its files
            assertThat(reader.refresh()).isTrue();
            assertThat(stages(reader, Filter.all())).contains("dense graph");
        }
    }

    @Test
    void aQuerySeesOneCommitWhileSegmentsAreMerged() throws InterruptedException {
        try (KnowledgeBase knowledge = filled()) {
            Thread compacting = new Thread(() -> knowledge.compact().run());
            compacting.start();
            do {
                assertThat(knowledge.denseRetriever().retrieve(Query.of("word1 word2", DOCUMENTS)))
                        .extracting(hit -> hit.passage().document())
                        .doesNotHaveDuplicates()
                        .hasSizeGreaterThan(DOCUMENTS * 9 / 10);
            } while (compacting.isAlive());
            compacting.join();
        }
    }

    private KnowledgeBase filled() {
        KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, OPTIONS);
        ingest(knowledge);
        return knowledge;
    }

    private static void ingest(KnowledgeBase knowledge) {
        Random random = new Random(5);
        List<Document> documents = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            StringBuilder text = new StringBuilder("d" + i);
            for (int word = 0; word < 6; word++) {
                text.append(" word").append(random.nextInt(40));
            }
            documents.add(new Document("d" + i, "text/plain", text.toString(), Map.of("rest", String.valueOf(i % 10))));
        }
        knowledge.ingest(DocumentSource.of("s", documents)).run();
    }

    private List<Path> derived() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("kb/vectors"))) {
            return files.toList();
        }
    }

    private VerifyReport verify() {
        return KnowledgeBase.verifying(folder.resolve("kb")).run();
    }

    private static List<String> stages(KnowledgeBase knowledge, Filter filter) {
        Trace trace = Trace.recording();
        knowledge
                .denseRetriever()
                .retrieve(Query.of("word1", 5).withFilter(filter).withTrace(trace));
        return trace.stages().stream().map(Trace.Stage::stage).toList();
    }

    private static List<List<String>> answers(KnowledgeBase knowledge) {
        List<List<String>> answers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            answers.add(knowledge.denseRetriever().retrieve(Query.of("word" + i + " word" + (i * 7 % 40), 10)).stream()
                    .map(hit -> hit.passage().document())
                    .toList());
        }
        return answers;
    }

    private static double recall(List<List<String>> found, List<List<String>> expected) {
        double share = 0;
        for (int i = 0; i < found.size(); i++) {
            Set<String> both = new HashSet<>(found.get(i));
            both.retainAll(expected.get(i));
            share += both.size() / (double) expected.get(i).size();
        }
        return share / found.size();
    }
}
