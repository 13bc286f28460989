package dev.pollux.samples.cli;

import dev.pollux.embedding.Embedder;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.rag.source.FolderOptions;
import dev.pollux.rag.source.MetadataRule;
import dev.pollux.rag.source.ReaderIsolation;
import dev.pollux.starter.DocumentTwinOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options for the documents and the folder of their knowledge base. */
final class DocumentOptions {

    @Option(
            names = "--docs",
            order = 1,
            paramLabel = "PATH",
            description =
                    "The documents in this folder and those in it, or one file: Markdown, text, PDF, HTML, Office files, mail,"
                            + " tables, source code. What is new or"
                            + " changed is read first, the rest is known from last time. May be given several times.")
    private List<Path> docs = List.of();

    @Option(
            names = "--knowledge",
            order = 2,
            paramLabel = "FOLDER",
            description = "Where the index of the documents is kept. Default: in the cache, one for each folder of"
                    + " documents. Without --docs it is used as it is.")
    private @Nullable Path knowledge;

    @Option(
            names = "--include",
            order = 5,
            paramLabel = "GLOB",
            description = "Read only files that match, such as '*.md' or 'guides/'; a type that is named so is read as"
                    + " plain text where it is not known. May be given several times.")
    private List<String> include = List.of();

    @Option(
            names = "--exclude",
            order = 6,
            paramLabel = "GLOB",
            description = "Do not read files and folders that match. May be given several times.")
    private List<String> exclude = List.of();

    @Option(
            names = "--no-gitignore",
            order = 7,
            description = "Read also what .gitignore files leave out. Default: it is not read.")
    private boolean noGitignore;

    @Option(
            names = "--metadata",
            order = 9,
            paramLabel = "[GLOB:]FIELD=VALUE",
            description = "Metadata for the documents of --docs, or for those that match, such as department=hr or"
                    + " 'archive/:archived=true'. --filter compares it. May be given several times. It stays in force until"
                    + " others are given.")
    private List<String> metadata = List.of();

    @Option(
            names = "--no-metadata",
            order = 9,
            description = "End the metadata that --metadata has set for the documents of --docs before.")
    private boolean noMetadata;

    @Mixin
    private ChunkingOptions chunking = new ChunkingOptions();

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Option(
            names = "--isolate",
            order = 9,
            description =
                    "Read PDF, Office files and others in a process of their own, so that no file can exhaust memory or"
                            + " end this one. A file that does is skipped.")
    private boolean isolate;

    @Option(
            names = "--no-embedding-cache",
            order = 9,
            description = "Do not keep vectors in the cache for other knowledge bases, and take none from it.")
    private boolean noEmbeddingCache;

    private Optional<String> name = Optional.empty();

    @Option(
            names = "--embedder",
            order = 3,
            paramLabel = "FOLDER",
            description =
                    "An ONNX text encoder with its tokenizer.json. Default: all-MiniLM-L6-v2 (English), embedded.")
    private @Nullable Path embedder;

    @Option(
            names = "--wait",
            order = 4,
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long to wait while another process writes to the same index. Default: ${DEFAULT-VALUE}.")
    private int wait = 30;

    /** The twin's options in this group. */
    DocumentTwinOptions.Builder twin(PolluxCommand command, ResourceOptions resources) {
        if (!isGiven()) {
            throw command.usage(
                    "say where the documents are with --docs, or which knowledge base to use with --knowledge");
        }
        GivenPath.documents(docs);
        if (wait < 0) {
            throw command.usage("--wait must be at least 0 but was " + wait);
        }
        DocumentTwinOptions.Builder options =
                DocumentTwinOptions.builder().cache(resources.cache()).lockTimeout(Duration.ofSeconds(wait));
        if (sources.areGiven()) {
            checkFiles(command);
            options.sources(sources.sources(docs, command));
        } else {
            options.documents(docs);
        }
        chunking.chunking(command).ifPresent(options::chunking);
        options.embeddingCache(!noEmbeddingCache);
        Optional.ofNullable(knowledge).ifPresent(options::knowledge);
        Optional.ofNullable(embedder).ifPresent(options::embedder);
        metadata(command).ifPresent(options::metadata);
        return options.files(files(command));
    }

    /** The rules; absent if those of the last ingest hold. */
    private Optional<List<MetadataRule>> metadata(PolluxCommand command) {
        if (noMetadata && !metadata.isEmpty()) {
            throw command.usage("--no-metadata ends all rules and --metadata sets some; give one of them");
        }
        try {
            return noMetadata || !metadata.isEmpty()
                    ? Optional.of(metadata.stream().map(MetadataRule::parse).toList())
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            throw command.usage(e.getMessage() + ", in --metadata");
        }
    }

    /** Rejects options that records and mirrors of sites do not have. */
    private void checkFiles(PolluxCommand command) {
        Map<String, Boolean> given = new LinkedHashMap<>();
        given.put("--name", name.isPresent());
        given.put("--include", !include.isEmpty());
        given.put("--exclude", !exclude.isEmpty());
        given.put("--no-gitignore", noGitignore);
        given.put("--isolate", isolate);
        given.forEach((option, is) -> {
            if (is) {
                throw command.usage(option + " is for folders and files as they are, not for --records and --site");
            }
        });
    }

    private FolderOptions files(PolluxCommand command) {
        FolderOptions.Builder files = FolderOptions.builder().gitignore(!noGitignore);
        name.ifPresent(files::name);
        if (isolate) {
            files.isolation(ReaderIsolation.DEFAULTS);
        }
        try {
            return files.include(include).exclude(exclude).build();
        } catch (IllegalArgumentException e) {
            throw command.usage("--" + e.getMessage());
        }
    }

    /** Names the source. */
    void name(String given) {
        name = Optional.of(given);
    }

    List<Path> docs() {
        return docs;
    }

    boolean isGiven() {
        return !docs.isEmpty() || knowledge != null;
    }

    Embedder openEmbedder(ResourceOptions resources) {
        EmbedderOptions options =
                EmbedderOptions.builder().workers(resources.threads()).build();
        return embedder == null ? OnnxEmbedder.bundled(options) : OnnxEmbedder.open(embedder, options);
    }
}
