package dev.pollux.rag.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.rag.knowledge.HashingEmbedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 at any moment of an ingest leaves the last commit usable, and nothing that was reported committed is lost. */
class KillTest {

    private static final long SEED = 20_261_125;
    private static final int KILLS = 20;
    private static final int LATEST_MILLIS = 400;

    @TempDir
    private Path folder;

    @Test
    void nothingCommittedIsLostInTwentyKills() throws IOException, InterruptedException {
        Random random = new Random(SEED);
        int round = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            String what = "seed " + SEED + ", kill " + kill;
            int[] last = ingestAndKill(round, random.nextInt(LATEST_MILLIS));
            round = check(what, last[0], last[1]);
        }
    }

    /** Starts a child at {@code round}, kills it some time after its first commit; its last report: round, documents. */
    private int[] ingestAndKill(int round, int millis) throws IOException, InterruptedException {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledIngest.class.getName(),
                        folder.resolve("kb").toString(),
                        String.valueOf(round))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        int[] last = {round, 0};
        try (BufferedReader out = child.inputReader()) {
            String first = out.readLine();
            assertThat(first).as("first report").isNotNull();
            read(first, last);
            Thread.sleep(millis);
            child.toHandle().destroyForcibly(); // unlike the process itself, it leaves the pipe open
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                read(line, last);
            }
        } finally {
            child.destroyForcibly();
            assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        return last;
    }

    /** A line that the kill cut off in its middle says nothing. */
    private static void read(String line, int[] last) {
        if (line.matches("\\d+ \\d+")) {
            String[] numbers = line.split(" ");
            last[0] = Integer.parseInt(numbers[0]);
            last[1] = Integer.parseInt(numbers[1]);
        }
    }

    /** Opens what the killed process left, looks for every document that it reported, and finishes its round. */
    private int check(String what, int round, int committed) {
        try (HashingEmbedder embedder = KilledIngest.embedder();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, KilledIngest.OPTIONS)) {
            for (int i = 0; i < KilledIngest.DOCUMENTS; i++) {
                List<Hit> hits = knowledge.lexicalRetriever().retrieve(Query.of("doc" + i + "x"));
                if (i < committed || round > 0) {
                    assertThat(hits).as(what).hasSize(1);
                    String text = hits.get(0).passage().text();
                    int found = Integer.parseInt(text.replaceAll(".*round(\\d+)x", "$1"));
                    assertThat(found).as(what).isGreaterThanOrEqualTo(i < committed ? round : round - 1);
                    assertThat(text).as(what).isEqualTo(KilledIngest.text(i, found));
                }
            }
            assertThat(knowledge.denseRetriever().retrieve(Query.of("document", 1000)))
                    .as(what)
                    .hasSize(knowledge.stats().passages());
            int next = round + 2; // the child may have been in the round after the one it reported
            IngestReport report = knowledge.ingest(KilledIngest.source(next)).run();
            assertThat(report.added() + report.updated()).as(what).isEqualTo(KilledIngest.DOCUMENTS);
            assertThat(knowledge.stats().documents()).as(what).isEqualTo(KilledIngest.DOCUMENTS);
            return next + 1;
        }
    }
}
