package dev.pollux.benchmarks;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;

/**
 * Time and memory of an ingest of many documents, without a model: vectors are made of hashes. Arguments: folder of the knowledge
 * base, number of documents, sentences a document, dimension of the vectors (default 64). Run it with {@code -Xmx256m}; it ingests
 * twice, the second time unchanged, then measures hybrid searches alone and while as many further documents are ingested.
 */
public final class IngestRate {

    private static final String DIMENSION = "64";
    private static final int SEARCHES = 500;
    private static final int PAUSE_MILLIS = 5;
    private static final String[] WORDS =
            ("pump valve gasket train morning station ticket winter frost gauge reading logbook office floor"
                            + " notice repair pressure water tunnel signal driver night inspection cupboard price stock part key")
                    .split(" ");

    private IngestRate() {}

    /** Runs the measurement. */
    public static void main(String[] arguments) throws InterruptedException {
        Path folder = Path.of(arguments[0]);
        int documents = Integer.parseInt(arguments[1]);
        int sentences = Integer.parseInt(arguments[2]);
        int dimension = Integer.parseInt(arguments.length > 3 ? arguments[3] : DIMENSION);
        DocumentSource source = DocumentSource.stream(
                "rows", () -> IntStream.range(0, documents).mapToObj(i -> document(i, sentences)));
        for (int run = 1; run <= 2; run++) {
            try (KnowledgeBase knowledge = KnowledgeBase.open(folder, new Hashes(dimension))) {
                long begin = System.nanoTime();
                IngestReport report = knowledge.ingest(source).run();
                double seconds = (System.nanoTime() - begin) / 1e9;
                System.out.printf(
                        Locale.ROOT,
                        "run %d: %d documents, %d added, %d unchanged, %d passages, %.1f s, %.0f documents/s, peak heap %d MiB of %d MiB%n",
                        run,
                        documents,
                        report.added(),
                        report.unchanged(),
                        report.passages(),
                        seconds,
                        documents / seconds,
                        peak() >> 20,
                        Runtime.getRuntime().maxMemory() >> 20);
            }
        }
        search(folder, documents, sentences, dimension);
    }

    private static void search(Path folder, int documents, int sentences, int dimension) throws InterruptedException {
        DocumentSource more = DocumentSource.stream(
                "more", () -> IntStream.range(documents, 2 * documents).mapToObj(i -> document(i, sentences)));
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, new Hashes(dimension))) {
            Retriever retriever = knowledge.retriever();
            search(retriever, new AtomicBoolean(true), "first", SEARCHES);
            search(retriever, new AtomicBoolean(true), "alone", SEARCHES);
            AtomicBoolean going = new AtomicBoolean(true);
            Thread ingest = new Thread(() -> {
                knowledge.ingest(more).run();
                going.set(false);
            });
            ingest.start();
            search(retriever, going, "during an ingest", Integer.MAX_VALUE);
            ingest.join();
        }
    }

    private static void search(Retriever retriever, AtomicBoolean going, String when, int most)
            throws InterruptedException {
        List<Double> millis = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(1);
        while (going.get() && millis.size() < most) {
            String words = WORDS[random.nextInt(WORDS.length)] + " " + WORDS[random.nextInt(WORDS.length)];
            long begin = System.nanoTime();
            retriever.retrieve(Query.of(words));
            millis.add((System.nanoTime() - begin) / 1e6);
            Thread.sleep(PAUSE_MILLIS);
        }
        millis.sort(null);
        System.out.printf(
                Locale.ROOT,
                "%d searches %s: p50 %.1f ms, p99 %.1f ms, slowest %.1f ms%n",
                millis.size(),
                when,
                millis.get(millis.size() / 2),
                millis.get(millis.size() * 99 / 100),
                millis.get(millis.size() - 1));
    }

    private static Document document(int number, int sentences) {
        SplittableRandom random = new SplittableRandom(number);
        StringBuilder text = new StringBuilder("Row ").append(number).append('.');
        for (int i = 0; i < sentences; i++) {
            for (int word = 0; word < 8; word++) {
                text.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
            }
            text.append(i % 4 == 3 ? ".\n\n" : ".");
        }
        return new Document("row" + number, "text/plain", text.toString(), Map.of());
    }

    private static long peak() {
        long peak = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            peak += pool.getType() == MemoryType.HEAP ? pool.getPeakUsage().getUsed() : 0;
        }
        return peak;
    }

    /** Vectors of the hashes of texts. */
    private record Hashes(int dimension) implements Embedder {

        @Override
        public EmbedderInfo info() {
            return new EmbedderInfo("hashes", "hashes-" + dimension, dimension, 256);
        }

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            return texts.stream().map(this::vector).toArray(float[][]::new);
        }

        private float[] vector(String text) {
            SplittableRandom random = new SplittableRandom(text.hashCode());
            float[] vector = new float[dimension]; // (dimension)
            double sum = 0;
            for (int i = 0; i < dimension; i++) {
                vector[i] = (float) (random.nextDouble() - 0.5);
                sum += vector[i] * vector[i];
            }
            float scale = (float) (1 / Math.sqrt(sum));
            for (int i = 0; i < dimension; i++) {
                vector[i] *= scale;
            }
            return vector;
        }

        @Override
        public int countTokens(String text) {
            return text.length() / 5 + 1;
        }

        @Override
        public void close() {
            // nothing is open
        }
    }
}
