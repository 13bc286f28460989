package dev.pollux.hosts.lean;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Query;
import java.nio.file.Path;

/** An application with models of its own: it finds a passage and continues it. */
public final class LeanApplication {

    private LeanApplication() {}

    /** Takes a folder with a model, one with documents, one for the knowledge base, and a question. */
    public static void main(String[] args) {
        Path model = Path.of(args[0]);
        try (OnnxEmbedder embedder = OnnxEmbedder.open(model);
                KnowledgeBase knowledge = KnowledgeBase.open(Path.of(args[2]), embedder);
                OnnxGenerator generator = OnnxGenerator.open(model)) {
            knowledge.ingest(DocumentSource.folder(Path.of(args[1]))).run();
            String found = knowledge
                    .retriever()
                    .retrieve(Query.of(args[3], 1))
                    .get(0)
                    .passage()
                    .text();
            int tokens = generator
                    .generate(
                            Prompt.text(found),
                            GenerationOptions.builder().maxTokens(2).build())
                    .usage()
                    .completionTokens();
            System.out.println("found: " + found.replace('\n', ' '));
            System.out.println("tokens: " + tokens);
        }
    }
}
