package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Passage;
import dev.pollux.retrieval.Query;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * kill -9 during writes, deletions, compactions and background builds loses nothing that a finished call had written. The number of
 * kills is the system property {@code pollux.kills}.
 */
class KilledMaintenanceTest {

    private static final long SEED = 20_261_130;
    private static final int KILLS = Integer.getInteger("pollux.kills", 6);
    private static final int LATEST_MILLIS = 700;
    private static final int EVERYTHING = 10_000;

    @TempDir
    private Path folder;

    private final Map<String, Integer> written = new HashMap<>(); // step by document
    private final List<Long> recoveries = new ArrayList<>(); // nanoseconds to open and search

    @Test
    void nothingAcknowledgedIsLost(TestReporter reporter) throws IOException, InterruptedException {
        Random random = new Random(SEED);
        int step = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            int last = writeAndKill(step, random.nextInt(LATEST_MILLIS));
            for (; step <= last; step++) {
                KilledWriter.apply(written, step);
            }
            check("seed " + SEED + ", kill " + kill + ", step " + step, step);
            KilledWriter.apply(written, step++); // check has finished it
        }
        recoveries.sort(null);
        reporter.publishEntry(Map.of(
                "kills", "" + KILLS,
                "median recovery in ms", "" + recoveries.get(KILLS / 2) / 1_000_000,
                "slowest recovery in ms", "" + recoveries.get(KILLS - 1) / 1_000_000));
    }

    /** Starts a child at {@code step}, kills it some time after its first finished step, and returns the last finished one. */
    private int writeAndKill(int step, int millis) throws IOException, InterruptedException {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledWriter.class.getName(),
                        folder.resolve("kb").toString(),
                        String.valueOf(step))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        int last = step - 1;
        try (BufferedReader out = child.inputReader()) {
            String line = out.readLine();
            assertThat(line).as("first step of the child").isEqualTo("done " + step);
            Thread.sleep(millis);
            child.toHandle().destroyForcibly(); // unlike the process itself, it leaves the pipe open
            for (; line != null; line = out.readLine()) {
                last = line.matches("done \\d+") ? Math.max(last, Integer.parseInt(line.substring(5))) : last;
            }
        } finally {
            child.destroyForcibly();
            assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
        return last;
    }

    /** Opens what the killed process left, compares every document with what may be there, and finishes the step {@code next}. */
    private void check(String what, int next) {
        long begin = System.nanoTime();
        try (HashingEmbedder embedder = KilledWriter.embedder();
                KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("kb"), embedder, KilledWriter.OPTIONS)) {
            int found = knowledge
                    .denseRetriever()
                    .retrieve(Query.of("document", EVERYTHING))
                    .size();
            recoveries.add(System.nanoTime() - begin);
            assertThat(found).as(what).isEqualTo(knowledge.stats().passages());
            Map<String, Integer> begun = new HashMap<>(written); // if the step that was killed had ended
            KilledWriter.apply(begun, next);
            for (String id : KilledWriter.ids()) {
                List<String> texts = knowledge.passages(KilledWriter.SOURCE, id).stream()
                        .map(Passage::text)
                        .toList();
                assertThat(texts).as("%s, document %s", what, id).isIn(expected(written, id), expected(begun, id));
            }
            assertThat(KnowledgeBase.verifying(folder.resolve("kb")).run().faults())
                    .as(what)
                    .isEmpty();
            KilledWriter.run(knowledge, next);
            assertThat(knowledge.stats().documents()).as(what).isEqualTo(begun.size());
        }
    }

    private static List<String> expected(Map<String, Integer> steps, String id) {
        Integer step = steps.get(id);
        return step == null ? List.of() : List.of(KilledWriter.text(id, step));
    }
}
