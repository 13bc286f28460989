package dev.pollux.samples.cli;

import dev.pollux.embedding.SimilarityScale;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.knowledge.IndexStats;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.KnowledgeStats;
import dev.pollux.rag.knowledge.KnownSource;
import dev.pollux.rag.knowledge.MetadataField;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.MetadataRule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Maintains a knowledge base. */
@Command(
        name = "knowledge",
        description = {
            "Say what is in a knowledge base, check its files, and take sources out of it.",
            "",
            "sources lists the folders and files that were read into it, stats says how much there is, remove takes a"
                    + " source out, verify reads every file and compares checksums, rebuild makes the vector files and graphs"
                    + " again, compact removes what was deleted. 'pollux ingest' prints where the knowledge base of a folder"
                    + " is.",
            "",
            "--json: see 'pollux knowledge sources --help' and the others."
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {
            "  pollux knowledge sources ~/notes.kb",
            "  pollux knowledge remove ~/notes.kb old-notes --dry-run",
            "  pollux knowledge stats --json ~/notes.kb"
        },
        subcommands = {
            KnowledgeCommand.Sources.class,
            KnowledgeCommand.Remove.class,
            KnowledgeCommand.Stats.class,
            KnowledgeFilesCommands.Verify.class,
            KnowledgeFilesCommands.Rebuild.class,
            KnowledgeFilesCommands.Compact.class
        })
final class KnowledgeCommand extends PolluxCommand {

    @Override
    int execute() {
        throw usage("say what to do: sources, remove, stats, verify, rebuild or compact");
    }

    /** Lists sources. */
    @Command(
            name = "sources",
            description = {
                "List the sources of a knowledge base: the folders and files that were read into it.",
                "",
                "--json: {knowledge, sources: [{source, path, documents, passages, lastChange, missing, skippedFiles:"
                        + " [{file, reason}], metadata: [RULE]}]}; missing says that nothing is under the path any more, metadata"
                        + " are the rules of --metadata that are in force."
            },
            footer = "  pollux knowledge sources ~/notes.kb")
    static final class Sources extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "KNOWLEDGE", description = "The folder of the knowledge base.")
        private Path folder = Path.of("");

        @Override
        int execute() {
            try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder)) {
                List<Map<String, Object>> sources = new ArrayList<>();
                Report report = new Report();
                for (KnownSource source : knowledge.sources()) {
                    sources.add(state(source));
                    report.line(source.name() + "  " + source.path() + (source.missing() ? " (gone)" : ""))
                            .line("    " + content(source) + ", last changed " + source.lastChange());
                    if (!source.metadataRules().isEmpty()) {
                        report.line("    metadata: " + String.join(", ", rules(source)));
                    }
                    if (source.skipped().count() > 0) {
                        report.line("    not read: " + source.skipped().summary());
                    }
                }
                if (sources.isEmpty()) {
                    report.line("There are no sources.");
                }
                report.add("knowledge", knowledge.folder().toString(), "")
                        .add("sources", sources, "")
                        .print(this);
            }
            return ExitCode.OK;
        }

        private static Map<String, Object> state(KnownSource source) {
            Map<String, Object> json = shape(source);
            json.put("lastChange", source.lastChange());
            json.put("missing", source.missing());
            json.put(
                    "skippedFiles",
                    source.skipped().files().stream()
                            .map(file -> SourceNotes.shape(source, file))
                            .toList());
            json.put("metadata", rules(source));
            return json;
        }

        private static List<String> rules(KnownSource source) {
            return source.metadataRules().stream().map(MetadataRule::toString).toList();
        }
    }

    /** Removes sources. */
    @Command(
            name = "remove",
            description = {
                "Take sources out of a knowledge base, with all that was read of them.",
                "",
                "The documents themselves are not touched; ingest reads them again.",
                "",
                "--json: {knowledge, dryRun, removed: [{source, path, documents, passages}]}."
            },
            footer = {
                "  pollux knowledge remove ~/notes.kb old-notes --dry-run",
                "  pollux knowledge remove ~/notes.kb ~/old-notes"
            })
    static final class Remove extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "KNOWLEDGE", description = "The folder of the knowledge base.")
        private Path folder = Path.of("");

        @Parameters(
                index = "1..*",
                arity = "1..*",
                paramLabel = "SOURCE",
                description = "The name of a source, or the path that it was read from.")
        private List<String> names = List.of();

        @Option(names = "--dry-run", order = 10, description = "Say what would be removed, and remove nothing.")
        private boolean dryRun;

        @Override
        int execute() {
            try (KnowledgeBase knowledge = dryRun ? KnowledgeBase.openReadOnly(folder) : KnowledgeBase.open(folder)) {
                List<KnownSource> known = knowledge.sources();
                List<KnownSource> chosen = names.stream()
                        .map(name -> source(known, name))
                        .distinct()
                        .toList();
                List<Map<String, Object>> removed = new ArrayList<>();
                Report report = new Report();
                for (KnownSource source : chosen) {
                    if (!dryRun) {
                        knowledge.delete(source.name());
                    }
                    removed.add(shape(source));
                    report.line((dryRun ? "would remove " : "removed ") + source.name() + " (" + source.path() + "): "
                            + content(source));
                }
                report.add("knowledge", knowledge.folder().toString(), "")
                        .add("dryRun", dryRun, "")
                        .add("removed", removed, "")
                        .print(this);
            }
            return ExitCode.OK;
        }

        private KnownSource source(List<KnownSource> known, String name) {
            String path = DocumentSource.folder(Path.of(name)).path();
            Optional<KnownSource> found = known.stream()
                    .filter(source -> source.name().equals(name))
                    .findFirst()
                    .or(() -> known.stream()
                            .filter(source ->
                                    source.path().equals(path) || source.path().equals(name))
                            .findFirst());
            return found.orElseThrow(() -> new IllegalArgumentException("There is no source '" + name + "' in "
                    + folder + "; it has "
                    + (known.isEmpty()
                            ? "none"
                            : known.stream().map(KnownSource::name).collect(Collectors.joining(", ")))));
        }
    }

    /** Counts. */
    @Command(
            name = "stats",
            description = {
                "Say how much is in a knowledge base.",
                "",
                "scale says what similarity means with the embedder on these documents: the similarity of a question to"
                        + " sentences that have nothing to do with it, and to its own.",
                "",
                "--json: {knowledge, sources, documents, passages, bytes, embedder, fingerprint, dimension, scale,"
                        + " lastCommit, index, chunking, fields}; scale is {unrelated, own, sentences}, where sentences is 0 if no ingest"
                        + " has measured it; index is {segments, deleted, mapped, graphed, bytes}, in passages and bytes of vector"
                        + " files and graphs; chunking is {strategy, targetTokens, maxTokens, contextual, windowSentences,"
                        + " parentTokens}, empty before the first ingest; fields is [{name, types, documents}], the metadata that --filter compares."
            },
            footer = "  pollux knowledge stats ~/notes.kb")
    static final class Stats extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "KNOWLEDGE", description = "The folder of the knowledge base.")
        private Path folder = Path.of("");

        @Override
        int execute() {
            try (KnowledgeBase knowledge = KnowledgeBase.openReadOnly(folder)) {
                KnowledgeStats stats = knowledge.stats();
                new Report()
                        .add("knowledge", knowledge.folder().toString())
                        .add("sources", stats.sources(), Texts.count(stats.sources()))
                        .add("documents", stats.documents(), Texts.count(stats.documents()))
                        .add("passages", stats.passages(), Texts.count(stats.passages()))
                        .add("bytes", stats.bytesOnDisk(), Texts.bytes(stats.bytesOnDisk()))
                        .add("embedder", stats.embedder())
                        .add("fingerprint", stats.fingerprint())
                        .add("dimension", stats.dimension())
                        .add("scale", shape(stats.scale()), stats.scale().toString())
                        .add("lastCommit", stats.lastCommit().toString())
                        .add("index", stats.index(), described(stats.index()))
                        .add(
                                "chunking",
                                stats.chunking().map(KnowledgeCommand::shape).orElse(Map.of()),
                                stats.chunking()
                                        .map(KnowledgeCommand::described)
                                        .orElse("not stored"))
                        .add("fields", knowledge.fields(), described(knowledge.fields()))
                        .print(this);
            }
            return ExitCode.OK;
        }
    }

    private static String described(IndexStats index) {
        return Texts.count(index.segments()) + (index.segments() == 1 ? " segment; " : " segments; ")
                + Texts.count(index.mapped()) + " vectors in files, " + Texts.count(index.graphed()) + " in graphs, "
                + Texts.bytes(index.bytes()) + "; " + Texts.count(index.deleted()) + " deleted passages";
    }

    private static String described(ChunkOptions chunking) {
        return ChunkStrategyConverter.name(chunking.strategy()) + ", about " + Texts.count(chunking.targetTokens())
                + " tokens";
    }

    private static String described(List<MetadataField> fields) {
        return fields.isEmpty()
                ? "none"
                : fields.stream()
                        .map(field -> field.name() + " ("
                                + field.types().stream().map(JsonShapes::name).collect(Collectors.joining(" or "))
                                + ")")
                        .collect(Collectors.joining(", "));
    }

    private static Map<String, Object> shape(KnownSource source) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("source", source.name());
        json.put("path", source.path());
        json.put("documents", source.documents());
        json.put("passages", source.passages());
        return json;
    }

    private static Map<String, Object> shape(SimilarityScale scale) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("unrelated", scale.unrelated());
        json.put("own", scale.own());
        json.put("sentences", scale.sentences());
        return json;
    }

    private static Map<String, Object> shape(ChunkOptions chunking) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("strategy", ChunkStrategyConverter.name(chunking.strategy()));
        json.put("targetTokens", chunking.targetTokens());
        json.put("maxTokens", chunking.maxTokens());
        json.put("contextual", chunking.contextual());
        json.put("windowSentences", chunking.windowSentences());
        json.put("parentTokens", chunking.parentTokens());
        return json;
    }

    private static String content(KnownSource source) {
        return Texts.count(source.documents())
                + (source.documents() == 1 ? " document, " : " documents, ")
                + Texts.count(source.passages())
                + (source.passages() == 1 ? " passage" : " passages");
    }
}
