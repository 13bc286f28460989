package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.rag.knowledge.IngestReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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
            "A folder is known again by any path, and also after it has moved, by its documents.",
            "",
            "The exit code is 4 where rows of a table or lines of a JSON Lines file could not be read; all others are read.",
            "",
            "--json: {knowledge, sources, added, updated, unchanged, deleted, renamed, skipped, failedRecords, passages, embedded, reused,"
                    + " elapsedMillis, notices, skippedFiles: [{file, reason}], missingSources: [{source, path}]}; added to"
                    + " skipped count documents."
        },
        footer = {
            "  pollux ingest --docs docs",
            "  pollux ingest --docs ~/notes --knowledge ~/notes.kb",
            "  pollux ask --knowledge ~/notes.kb \"When is the rent due?\""
        })
final class IngestCommand extends PolluxCommand {

    @Mixin
    private DocumentOptions documents = new DocumentOptions();

    @Option(
            names = "--name",
            order = 8,
            paramLabel = "NAME",
            description = "What the source is called, wherever its folder is. Default: as the folder, which is known by"
                    + " its path.")
    private @Nullable String name;

    @Option(
            names = "--watch",
            order = 9,
            description = "Go on reading what is new or changed, a second after each change, until Ctrl-C.")
    private boolean watch;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        if (documents.docs().isEmpty()) {
            throw usage("say which folder to read with --docs");
        }
        if (name != null && documents.docs().size() > 1) {
            throw usage("--name is for one --docs, since each folder is a source of its own");
        }
        Optional.ofNullable(name).ifPresent(documents::name);
        Knowledge knowledge = new Knowledge(this, documents, resources);
        try (Embedder embedder = documents.openEmbedder(resources)) {
            FolderWatch changes = new FolderWatch(documents.docs());
            int code = ingest(knowledge, embedder);
            while (watch && changes.await(pollux().interruption()::isInterrupted)) {
                code = ingest(knowledge, embedder);
            }
            return code;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }

    private int ingest(Knowledge knowledge, Embedder embedder) {
        Path folder = knowledge.folder(embedder);
        List<IngestReport> reports = knowledge.update(embedder);
        Report report = report(folder, reports);
        try (KnowledgeBase read = KnowledgeBase.openReadOnly(folder, embedder)) {
            SourceNotes notes = new SourceNotes(read);
            Map<String, Object> json = new LinkedHashMap<>();
            notes.add(json);
            json.forEach((key, value) -> report.add(key, value, ""));
            report.print(this);
            notes.print(output(), true);
        }
        int failed = sum(reports, IngestReport::failedRecords);
        if (failed > 0) {
            output().note(Texts.count(failed) + (failed == 1 ? " record" : " records") + " could not be read");
        }
        return failed > 0 ? ExitCode.INCOMPLETE : ExitCode.OK;
    }

    private static Report report(Path folder, List<IngestReport> reports) {
        List<String> sources = reports.stream().map(IngestReport::source).toList();
        int added = sum(reports, IngestReport::added);
        int updated = sum(reports, IngestReport::updated);
        int unchanged = sum(reports, IngestReport::unchanged);
        int deleted = sum(reports, IngestReport::deleted);
        int renamed = sum(reports, IngestReport::renamed);
        int skipped = sum(reports, IngestReport::skipped);
        int passages = sum(reports, IngestReport::passages);
        int embedded = sum(reports, IngestReport::embedded);
        int reused = sum(reports, IngestReport::reused);
        Duration elapsed = reports.stream().map(IngestReport::elapsed).reduce(Duration.ZERO, Duration::plus);
        return new Report()
                .add("knowledge", folder.toString())
                .add("sources", sources, String.join(", ", sources))
                .add("added", added, documents(added))
                .add("updated", updated, documents(updated))
                .add("unchanged", unchanged, documents(unchanged))
                .add("deleted", deleted, documents(deleted))
                .add("renamed", renamed, renamed == 0 ? "" : documents(renamed))
                .add("skipped", skipped, documents(skipped))
                .add("failedRecords", sum(reports, IngestReport::failedRecords), "")
                .add("passages", passages, Texts.count(passages) + " written")
                .add("embedded", embedded, Texts.count(embedded) + " passages")
                .add("reused", reused, Texts.count(reused) + " vectors")
                .add("elapsedMillis", elapsed.toMillis(), "")
                .text("elapsed", Texts.seconds(elapsed))
                .add(
                        "notices",
                        reports.stream()
                                .flatMap(report -> report.notices().stream())
                                .toList(),
                        "");
    }

    private static int sum(List<IngestReport> reports, ToIntFunction<IngestReport> count) {
        return reports.stream().mapToInt(count).sum();
    }

    private static String documents(int count) {
        return Texts.count(count) + (count == 1 ? " document" : " documents");
    }
}
