package dev.pollux.spark;

import dev.pollux.embedding.Embedder;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.Shards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;

/** The example of docs/frameworks.md, which is compared with this class. It is compiled, not run: a cluster has its paths. */
final class FrameworksDocExample {

    private FrameworksDocExample() {}

    static void ingest(JavaSparkContext spark, Embedder embedder) throws IOException {
        SparkShards shards =
                SparkShards.of(() -> DocumentSource.folder(Path.of("/shared/docs")), () -> OnnxEmbedder.bundled());
        List<Path> files = shards.write(spark, Path.of("/shared/shards"), 64);
        Shards parts = Shards.of(files);
        try (KnowledgeBase knowledge = KnowledgeBase.open(Path.of("kb"), parts.embedder(embedder))) {
            knowledge.ingest(parts.source()).run();
        }
    }
}
