package dev.pollux.rag.knowledge;

import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.math.DotKernels;
import dev.pollux.rag.knowledge.TopHits.Scored;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Trace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;

/**
 * Search of a knowledge base's vectors beside Lucene's HNSW in one process: recall at 10, searches per processor second, build,
 * size and opening. It is in this package to measure the search without the reading of passages.
 *
 * <p>Arguments: a work folder, a file of {@code SentenceVectors}, the number of queries at its end, its dimension.
 */
public final class VectorSearchRate {

    private static final int K = 10;
    private static final int ROUNDS = 5;
    private static final int[] PERMILLES = {1000, 500, 100, 10, 1};

    private final Path work;
    private final float[][] vectors; // (passages, dimension)
    private final float[][] queries; // (queries, dimension)
    private final List<Set<Integer>> nearest = new ArrayList<>();

    private VectorSearchRate(Path work, float[][] vectors, float[][] queries) {
        this.work = work;
        this.vectors = vectors;
        this.queries = queries;
    }

    /** Runs it. */
    public static void main(String[] args) throws IOException {
        int dimension = Integer.parseInt(args[3]);
        float[][] all = read(Path.of(args[1]), dimension);
        int split = all.length - Integer.parseInt(args[2]);
        VectorSearchRate rate = new VectorSearchRate(
                Path.of(args[0]), Arrays.copyOf(all, split), Arrays.copyOfRange(all, split, all.length));
        System.out.println(Runtime.version() + ", " + DotKernels.BEST.getClass().getSimpleName() + ", Lucene "
                + org.apache.lucene.util.Version.LATEST + ", " + split + " x " + dimension);
        rate.exact();
        rate.run();
    }

    private static float[][] read(Path file, int dimension) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .order(ByteOrder.LITTLE_ENDIAN);
            float[][] all = new float[(int) (channel.size() / dimension / Float.BYTES)][dimension];
            for (float[] row : all) {
                bytes.asFloatBuffer().get(row);
                bytes.position(bytes.position() + dimension * Float.BYTES);
            }
            return all;
        }
    }

    private void exact() {
        for (float[] query : queries) {
            TopHits top = new TopHits(K);
            float[] dot = new float[1];
            for (int i = 0; i < vectors.length; i++) {
                DotKernels.BEST.dots(query, vectors[i], 0, 1, dot);
                top.offer(i, dot[0]);
            }
            Set<Integer> rows = new HashSet<>();
            top.drain().forEach(hit -> rows.add(hit.id()));
            nearest.add(rows);
        }
    }

    private void run() throws IOException {
        Path folder = work.resolve("kb");
        KnowledgeOptions options = KnowledgeOptions.builder()
                .commitPassages(20_000)
                .backgroundIndex(false)
                .indexFrom(IndexSettings.MAPPED_FROM, Math.min(SearchPlan.LEAST_ALLOWED, vectors.length / 2))
                .build();
        if (!Files.exists(folder)) {
            build(folder, options);
        }
        try (Directory directory = FSDirectory.open(work.resolve("lucene"))) {
            if (!DirectoryReader.indexExists(directory)) {
                buildLucene(directory);
            }
            System.out.printf("files: Lucene HNSW %.1f MB%n", size(work.resolve("lucene")) / 1e6);
            for (int i = 0; i < ROUNDS; i++) {
                long begin = System.nanoTime();
                KnowledgeBase.openReadOnly(folder, new Rows(vectors), options).close();
                System.out.printf("open: %.0f ms%n", (System.nanoTime() - begin) / 1e6);
            }
            IndexSettings settings = options.settings(folder.toAbsolutePath(), vectors[0].length);
            try (Store store = Store.open(settings, new Rows(vectors).info(), false);
                    DirectoryReader reader = DirectoryReader.open(directory)) {
                store.read(snapshot -> {
                    System.out.println(snapshot.index(store.files().derivedBytes()) + ", all "
                            + store.files().bytesOnDisk());
                    compare(snapshot, new IndexSearcher(reader));
                    filtered(snapshot);
                    return snapshot;
                });
            }
        }
    }

    private void build(Path folder, KnowledgeOptions options) {
        List<Document> documents = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < vectors.length; i++) {
            documents.add(new Document(
                    "d" + i, "text/plain", "v" + i, Map.of("permille", String.valueOf(random.nextInt(1000)))));
        }
        long begin = System.nanoTime();
        try (KnowledgeBase knowledge = KnowledgeBase.open(folder, new Rows(vectors), options)) {
            knowledge.ingest(DocumentSource.of("s", documents)).run();
            System.out.printf("ingest without embedding: %.1f s%n", (System.nanoTime() - begin) / 1e9);
            Cpu cpu = new Cpu();
            System.out.println(knowledge.compact().run() + ", " + cpu);
        }
    }

    private void buildLucene(Directory directory) throws IOException {
        Cpu cpu = new Cpu();
        try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
            int row = 0;
            for (float[] vector : vectors) {
                var document = new org.apache.lucene.document.Document();
                document.add(new KnnFloatVectorField("v", vector, VectorSimilarityFunction.DOT_PRODUCT));
                document.add(new NumericDocValuesField("row", row++));
                writer.addDocument(document);
            }
            writer.forceMerge(1);
        }
        System.out.println("Lucene HNSW: " + cpu);
    }

    private interface Search {
        int[] rows(float[] query) throws IOException;
    }

    private void compare(Snapshot snapshot, IndexSearcher lucene) throws IOException {
        Map<String, Search> searches = new LinkedHashMap<>();
        View view = snapshot.view(Filter.all());
        Map<Integer, Integer> rows = rows(snapshot);
        searches.put("knowledge base", query -> rows(view.nearest(query, K, Trace.NONE), rows));
        for (int candidates : new int[] {20, 40, 60, 80, 120, 160}) {
            searches.put("graph, " + candidates + " candidates", query -> {
                TopHits top = new TopHits(K);
                var leaf = snapshot.reader().leaves().get(0);
                snapshot.vectors(leaf).search(query, K, candidates, null, 0, top);
                return rows(top.drain(), rows);
            });
        }
        int[] luceneRows = luceneRows(lucene);
        for (int depth : new int[] {20, 40, 60, 80, 120}) {
            searches.put("Lucene HNSW, k " + depth, query -> {
                ScoreDoc[] found = lucene.search(new KnnFloatVectorQuery("v", query, depth), K).scoreDocs;
                return Arrays.stream(found).mapToInt(hit -> luceneRows[hit.doc]).toArray();
            });
        }
        for (boolean coded : new boolean[] {false, true}) {
            searches.put("scan, " + (coded ? "codes" : "floats"), query -> {
                TopHits top = new TopHits(K);
                for (var leaf : snapshot.reader().leaves()) {
                    snapshot.vectors(leaf).scan(new VectorScan(query, K, coded), null, 0, leaf.docBase, top);
                }
                return rows(top.drain(), rows);
            });
        }
        Map<String, List<Double>> rates = new LinkedHashMap<>();
        for (int round = 0; round <= ROUNDS; round++) {
            for (var search : searches.entrySet()) {
                int most = search.getKey().startsWith("scan") ? 60 : queries.length;
                int found = 0;
                Cpu cpu = new Cpu();
                for (int i = 0; i < most; i++) {
                    for (int row : search.getValue().rows(queries[i])) {
                        found += nearest.get(i).contains(row) ? 1 : 0;
                    }
                }
                double rate = most / cpu.thread();
                if (round > 0) {
                    rates.computeIfAbsent(search.getKey(), key -> new ArrayList<>())
                            .add(rate);
                }
                if (round == ROUNDS) {
                    List<Double> sorted = Objects.requireNonNull(rates.get(search.getKey())).stream()
                            .sorted()
                            .toList();
                    System.out.printf(
                            Locale.ROOT,
                            "%-30s recall@10 %.4f  %8.0f searches/cpu-s (%.0f-%.0f)%n",
                            search.getKey(),
                            found / (double) (K * most),
                            sorted.get(ROUNDS / 2),
                            sorted.get(0),
                            sorted.get(ROUNDS - 1));
                }
            }
        }
    }

    private void filtered(Snapshot snapshot) throws IOException {
        Map<Integer, Integer> rows = rows(snapshot);
        int[] permille = new int[vectors.length];
        Random random = new Random(1);
        for (int i = 0; i < permille.length; i++) {
            permille[i] = random.nextInt(1000);
        }
        for (int allowed : PERMILLES) {
            Filter filter = Filter.lessThan("permille", allowed);
            long begin = System.nanoTime();
            View view = snapshot.view(filter);
            double first = (System.nanoTime() - begin) / 1e6;
            int count = 200;
            double[] millis = new double[count];
            double[] cpu = new double[count];
            int found = 0;
            int wanted = 0;
            for (int i = -50; i < count; i++) {
                float[] query = queries[Math.abs(i)];
                begin = System.nanoTime();
                Cpu used = new Cpu();
                List<Scored> hits = snapshot.view(filter).nearest(query, K, Trace.NONE);
                if (i >= 0) {
                    cpu[i] = used.thread() * 1000;
                    millis[i] = (System.nanoTime() - begin) / 1e6;
                    TopHits top = new TopHits(K);
                    float[] dot = new float[1];
                    for (int row = 0; row < vectors.length; row++) {
                        if (permille[row] < allowed) {
                            DotKernels.BEST.dots(query, vectors[row], 0, 1, dot);
                            top.offer(row, dot[0]);
                        }
                    }
                    Set<Integer> best = new HashSet<>();
                    top.drain().forEach(hit -> best.add(hit.id()));
                    wanted += best.size();
                    for (int row : rows(hits, rows)) {
                        found += best.contains(row) ? 1 : 0;
                    }
                }
            }
            Arrays.sort(millis);
            Arrays.sort(cpu);
            System.out.printf(
                    Locale.ROOT,
                    "allowed %5.1f %% (%d): p50 %.2f ms (%.2f cpu), p95 %.2f ms, recall@10 %.4f; first view %.0f ms%n",
                    allowed / 10.0,
                    view.passages(),
                    millis[count / 2],
                    cpu[count / 2],
                    millis[count * 95 / 100],
                    found / (double) wanted,
                    first);
        }
    }

    /** Row of each passage, by its number in the index. */
    private static Map<Integer, Integer> rows(Snapshot snapshot) throws IOException {
        Map<Integer, Integer> rows = new LinkedHashMap<>();
        for (var leaf : snapshot.reader().leaves()) {
            for (int doc : LuceneRows.docs(leaf.reader())) {
                String text = leaf.reader().storedFields().document(doc).get(IndexLayout.TEXT);
                rows.put(leaf.docBase + doc, Integer.parseInt(text.substring(1)));
            }
        }
        return rows;
    }

    /** Row of each document of Lucene's index. */
    private static int[] luceneRows(IndexSearcher lucene) throws IOException {
        int[] rows = new int[lucene.getIndexReader().maxDoc()];
        for (var leaf : lucene.getIndexReader().leaves()) {
            var values = leaf.reader().getNumericDocValues("row");
            for (int doc = 0; doc < leaf.reader().maxDoc(); doc++) {
                values.advanceExact(doc);
                rows[leaf.docBase + doc] = (int) values.longValue();
            }
        }
        return rows;
    }

    private static int[] rows(List<Scored> hits, Map<Integer, Integer> rows) {
        return hits.stream().mapToInt(hit -> rows.get(hit.id())).toArray();
    }

    private static long size(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            long bytes = 0;
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
            return bytes;
        }
    }

    /** Processor and elapsed seconds since its creation. */
    private static final class Cpu {
        private final long wall = System.nanoTime();
        private final long thread = threadNanos();
        private final long process = processNanos();

        double thread() {
            return (threadNanos() - thread) / 1e9;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%.1f s, %.1f cpu-s",
                    (System.nanoTime() - wall) / 1e9,
                    (processNanos() - process) / 1e9);
        }

        private static long threadNanos() {
            return java.lang.management.ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        }

        private static long processNanos() {
            return ((com.sun.management.OperatingSystemMXBean)
                            java.lang.management.ManagementFactory.getOperatingSystemMXBean())
                    .getProcessCpuTime();
        }
    }

    /** An embedder whose text "vN" has vector N. */
    private record Rows(float[][] vectors) implements Embedder {

        @Override
        public float[][] embed(List<String> texts, TextRole role) {
            return texts.stream()
                    .map(text -> text.matches("v\\d+") ? vectors[Integer.parseInt(text.substring(1))] : vectors[0])
                    .toArray(float[][]::new);
        }

        @Override
        public EmbedderInfo info() {
            return new EmbedderInfo("rows", "rows", vectors[0].length, 512);
        }

        @Override
        public int countTokens(String text) {
            return 3;
        }

        @Override
        public void close() {}
    }
}
