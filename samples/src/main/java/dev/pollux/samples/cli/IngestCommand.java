package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.rag.knowledge.IngestReport;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Reads documents into a knowledge base. */
@Command(
        name = "ingest",
        description = {
            "Read a folder of documents into a knowledge base.",
            "",
            "New and changed documents are cut into passages and embedded, vanished ones are removed, the rest is left as"
                    + " it is. It can be stopped at any moment and goes on where it was. Several folders may go into one"
                    + " knowledge base.",
            "",
            "--json: {knowledge, source, added, updated, unchanged, deleted, skipped, passages, embedded, reused,"
                    + " elapsedMillis, notices}; the first six count documents."
        },
        footer = {
            "  pollux ingest --docs docs",
            "  pollux ingest --docs ~/notes --knowledge ~/notes.kb",
            "  pollux ask --knowledge ~/notes.kb \"When is the rent due?\""
        })
final class IngestCommand extends PolluxCommand {

    @Mixin
    private DocumentOptions documents = new DocumentOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        if (documents.docs().isEmpty()) {
            throw usage("say which folder to read with --docs");
        }
        Knowledge knowledge = new Knowledge(this, documents, resources);
        try (Embedder embedder = documents.openEmbedder(resources)) {
            Path folder = knowledge.folder(embedder);
            report(folder, knowledge.update(embedder).get(0)).print(this);
        }
        return ExitCode.OK;
    }

    private static Report report(Path folder, IngestReport done) {
        return new Report()
                .add("knowledge", folder.toString())
                .add("source", done.source())
                .add("added", done.added(), documents(done.added()))
                .add("updated", done.updated(), documents(done.updated()))
                .add("unchanged", done.unchanged(), documents(done.unchanged()))
                .add("deleted", done.deleted(), documents(done.deleted()))
                .add("skipped", done.skipped(), documents(done.skipped()))
                .add("passages", done.passages(), Texts.count(done.passages()) + " written")
                .add("embedded", done.embedded(), Texts.count(done.embedded()) + " passages")
                .add("reused", done.reused(), Texts.count(done.reused()) + " vectors")
                .add("elapsedMillis", done.elapsed().toMillis(), "")
                .text("elapsed", Texts.seconds(done.elapsed()))
                .add("notices", done.notices(), "");
    }

    private static String documents(int count) {
        return Texts.count(count) + (count == 1 ? " document" : " documents");
    }
}
