package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.rag.evaluate.RetrievalCollection;
import dev.pollux.rag.evaluate.RetrievalEvaluation;
import dev.pollux.rag.knowledge.EmbeddingCache;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeOptions;
import dev.pollux.rag.source.DocumentSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Retrieval by the vectors of an embedder, on a collection in BEIR layout. */
record BeirQuality(RetrievalCollection collection, ResourceOptions resources) {

    /** nDCG at 10 of dense retrieval. The vectors of passages stay in the cache, so that an original is embedded once. */
    double ndcg(Path model, PolluxCommand command) {
        EmbedderOptions embedding = EmbedderOptions.builder()
                .cache(resources.cache())
                .workers(resources.threads())
                .build();
        try {
            Path folder = Files.createTempDirectory("pollux-beir");
            try (OnnxEmbedder embedder = OnnxEmbedder.open(model, embedding);
                    KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("base"), embedder, options())) {
                command.run(knowledge.ingest(DocumentSource.of(collection.name(), collection.documents())));
                return command.run(RetrievalEvaluation.on(collection).evaluate(knowledge.denseRetriever()))
                        .ndcgAt10();
            } finally {
                WorkFolder.deleteTree(folder);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot keep vectors of " + collection.name() + ": " + Plainly.told(e), e);
        }
    }

    private KnowledgeOptions options() {
        return KnowledgeOptions.builder()
                .embeddingCache(new EmbeddingCache(resources.cache().resolve("embeddings")))
                .build();
    }
}
