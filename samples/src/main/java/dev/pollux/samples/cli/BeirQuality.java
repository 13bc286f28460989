package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.rag.evaluate.RetrievalCollection;
import dev.pollux.rag.evaluate.RetrievalEvaluation;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Retrieval by the vectors of an embedder, on a collection in BEIR layout. */
record BeirQuality(RetrievalCollection collection, ResourceOptions resources) {

    /** nDCG at 10 of dense retrieval. */
    double ndcg(Path model, PolluxCommand command) {
        EmbedderOptions options = EmbedderOptions.builder()
                .cache(resources.cache())
                .workers(resources.threads())
                .build();
        try {
            Path folder = Files.createTempDirectory("pollux-beir");
            try (OnnxEmbedder embedder = OnnxEmbedder.open(model, options);
                    KnowledgeBase knowledge = KnowledgeBase.open(folder.resolve("base"), embedder)) {
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
}
