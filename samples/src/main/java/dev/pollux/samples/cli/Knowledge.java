package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.starter.DocumentKnowledge;
import java.nio.file.Path;
import java.util.List;

/** The knowledge base selected by a command line. */
final class Knowledge {

    private final PolluxCommand command;
    private final DocumentKnowledge documents;

    Knowledge(PolluxCommand command, DocumentOptions options, ResourceOptions resources) {
        this.command = command;
        this.documents = DocumentKnowledge.of(options.twin(command, resources).build());
    }

    /** Its folder: as named, else one in the cache for these documents and this embedder. */
    Path folder(Embedder embedder) {
        return documents.folder(embedder);
    }

    /** Updates the knowledge base and opens it for retrieval only, so that other processes can write. */
    KnowledgeBase openUpdated(Embedder embedder) {
        return command.run(documents.openJob(embedder));
    }

    /** Brings the knowledge base up to date with the documents. */
    List<IngestReport> update(Embedder embedder) {
        return command.run(documents.updating(embedder));
    }
}
