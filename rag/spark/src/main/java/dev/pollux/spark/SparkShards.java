package dev.pollux.spark;

import dev.pollux.embedding.Embedder;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.ShardReport;
import dev.pollux.rag.source.ShardWriter;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Computes the vectors of a source's documents in Apache Spark: each task writes the shard of a part, and {@link
 * dev.pollux.rag.source.Shards} brings all to one knowledge base.
 *
 * <pre>{@code
 * SparkShards shards = SparkShards.of(
 *         () -> DocumentSource.folder(Path.of("/shared/docs")), () -> OnnxEmbedder.open(Path.of("/shared/model")));
 * List<Path> files = shards.write(spark, Path.of("/shared/shards"), 64);
 * Shards parts = Shards.of(files);
 * try (KnowledgeBase knowledge = KnowledgeBase.open(folder, parts.embedder(embedder))) {
 *     knowledge.ingest(parts.source()).run();
 * }
 * }</pre>
 *
 * <p>The folders of the documents and of the shards must be at the same path on all machines. A task that Spark repeats or runs
 * twice writes the same shard. <em>Immutable, thread-safe.</em>
 */
public final class SparkShards implements Serializable {

    private static final long serialVersionUID = 1;

    private final Documents documents;
    private final Model model;
    private final ChunkOptions chunking;

    private SparkShards(Documents documents, Model model, ChunkOptions chunking) {
        this.documents = documents;
        this.model = model;
        this.chunking = chunking;
    }

    /** Opens the source of documents in a task. What it refers to must be serializable, so not a {@link Path}. */
    @FunctionalInterface
    public interface Documents extends Serializable {

        /** The source, the same in each task. */
        DocumentSource open();
    }

    /** Opens the embedder in a task, which closes it. */
    @FunctionalInterface
    public interface Model extends Serializable {

        /** An embedder with one fingerprint in all tasks. */
        Embedder open();
    }

    /** Shards that are cut by {@link ChunkOptions#DEFAULTS}. */
    public static SparkShards of(Documents documents, Model model) {
        return of(documents, model, ChunkOptions.DEFAULTS);
    }

    /**
     * Shards that are cut by given options.
     *
     * @param chunking that of the knowledge base
     */
    public static SparkShards of(Documents documents, Model model, ChunkOptions chunking) {
        return new SparkShards(documents, model, chunking);
    }

    /**
     * Runs one task for each part and waits for all.
     *
     * @param spark where they run
     * @param folder for the shards; created if absent, and files of the same name are replaced
     * @param parts number of parts, in [1, 100000]; two or three times the number of cores, so that long documents do not delay the end
     * @return the shards, in order
     */
    public List<Path> write(JavaSparkContext spark, Path folder, int parts) {
        String target = folder.toAbsolutePath().toString();
        List<Integer> numbers = IntStream.range(0, parts).boxed().toList();
        if (numbers.isEmpty()) {
            throw new IllegalArgumentException("parts must be in [1, 100000] but was " + parts);
        }
        return spark.parallelize(numbers, parts).map(part -> part(part, parts, target)).collect().stream()
                .map(report -> Path.of(report.file()))
                .toList();
    }

    private ShardReport part(int part, int parts, String folder) {
        Path file = Path.of(folder, String.format(Locale.ROOT, "%05d.shard", part));
        try (Embedder embedder = model.open()) {
            return ShardWriter.of(embedder, chunking).write(documents.open(), part, parts, file);
        }
    }
}
