package dev.pollux.samples.cli;

import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.ChunkStrategy;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for how documents are cut into passages. */
final class ChunkingOptions {

    @Option(
            names = "--chunk",
            order = 9,
            paramLabel = "STRATEGY",
            converter = ChunkStrategyConverter.class,
            description =
                    "How documents are cut into passages: structure (headings, blocks, declarations), recursive (by"
                            + " size), sentence-window (each sentence, shown with those before it), parent-child (small passages"
                            + " are searched, their section is shown) or semantic (where neighbouring sentences differ most). Default: structure."
                            + " The first ingest stores it, and the sizes, with the knowledge base; later ones need it no more.")
    private @Nullable ChunkStrategy strategy;

    @Option(
            names = "--chunk-tokens",
            order = 9,
            paramLabel = "N",
            description = "Target size of a passage. Default: 256; with parent-child 128.")
    private @Nullable Integer tokens;

    @Option(
            names = "--parent-tokens",
            order = 9,
            paramLabel = "N",
            description = "Most tokens of a parent, with parent-child. Default: 1024.")
    private @Nullable Integer parentTokens;

    @Option(
            names = "--window-sentences",
            order = 9,
            paramLabel = "N",
            description = "Sentences shown before a passage, with sentence-window. Default: 2.")
    private @Nullable Integer windowSentences;

    /** The options; empty if none is given. */
    Optional<ChunkOptions> chunking(PolluxCommand command) {
        if (parentTokens != null && strategy != ChunkStrategy.PARENT_CHILD) {
            throw command.usage("--parent-tokens is for --chunk parent-child");
        }
        if (windowSentences != null && strategy != ChunkStrategy.SENTENCE_WINDOW) {
            throw command.usage("--window-sentences is for --chunk sentence-window");
        }
        if (strategy == null && tokens == null) {
            return Optional.empty();
        }
        ChunkOptions.Builder options = ChunkOptions.builder();
        if (strategy != null) {
            options.strategy(strategy);
        }
        if (tokens != null) {
            options.targetTokens(tokens);
            options.maxTokens(Math.max(tokens, ChunkOptions.DEFAULTS.maxTokens()));
        }
        if (parentTokens != null) {
            options.parentTokens(parentTokens);
        }
        if (windowSentences != null) {
            options.windowSentences(windowSentences);
        }
        try {
            return Optional.of(options.build());
        } catch (IllegalArgumentException e) {
            throw command.usage(message(e));
        }
    }

    /** The message with the names of the options. */
    private static String message(IllegalArgumentException e) {
        return String.valueOf(e.getMessage())
                .replaceFirst("^targetTokens", "--chunk-tokens")
                .replaceFirst("^maxTokens", "--chunk-tokens")
                .replaceFirst("^parentTokens", "--parent-tokens")
                .replaceFirst("^windowSentences", "--window-sentences");
    }
}
