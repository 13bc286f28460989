package dev.pollux.rag.knowledge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.embedding.Embedder;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.chunk.ChunkStrategy;
import dev.pollux.rag.chunk.Chunker;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The chunking of a knowledge base, which its first ingest stores and later ones use.
 *
 * @param recipe of the chunker of the last ingest; empty where there was none
 * @param options of the chunker; empty where there was no ingest, or an earlier version made it
 */
record StoredChunking(String recipe, Optional<ChunkOptions> options) {

    static final StoredChunking NONE = new StoredChunking("", Optional.empty());

    private static final String STRATEGY = "strategy";
    private static final String TARGET_TOKENS = "targetTokens";
    private static final String MAX_TOKENS = "maxTokens";
    private static final String CONTEXTUAL = "contextual";
    private static final String WINDOW_SENTENCES = "windowSentences";
    private static final String PARENT_TOKENS = "parentTokens";

    static StoredChunking of(Chunker chunker, ChunkOptions options) {
        return new StoredChunking(chunker.recipe(), Optional.of(options));
    }

    /** The chunking of a commit. */
    static StoredChunking of(Map<String, String> data) {
        return new StoredChunking(
                data.getOrDefault(IndexLayout.COMMIT_CHUNKING, ""), parse(data.get(IndexLayout.COMMIT_CHUNK_OPTIONS)));
    }

    /** Adds it to commit data. */
    void add(Map<String, String> data) {
        if (!recipe.isEmpty()) {
            data.put(IndexLayout.COMMIT_CHUNKING, recipe);
        }
        options.ifPresent(stored -> data.put(IndexLayout.COMMIT_CHUNK_OPTIONS, text(values(stored))));
    }

    /** Pairs {@code name=value}, separated by blanks. */
    private static String text(Map<String, String> values) {
        return values.entrySet().stream().map(Object::toString).collect(Collectors.joining(" "));
    }

    private static Map<String, String> values(ChunkOptions options) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put(STRATEGY, options.strategy().name());
        values.put(TARGET_TOKENS, String.valueOf(options.targetTokens()));
        values.put(MAX_TOKENS, String.valueOf(options.maxTokens()));
        values.put(CONTEXTUAL, String.valueOf(options.contextual()));
        values.put(WINDOW_SENTENCES, String.valueOf(options.windowSentences()));
        values.put(PARENT_TOKENS, String.valueOf(options.parentTokens()));
        return values;
    }

    private static Optional<ChunkOptions> parse(@Nullable String text) {
        if (text == null) {
            return Optional.empty();
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (String pair : text.split(" ")) {
            int equals = pair.indexOf('=');
            values.put(pair.substring(0, Math.max(0, equals)), pair.substring(equals + 1));
        }
        try {
            return Optional.of(options(values));
        } catch (IllegalArgumentException e) {
            throw new MalformedFileException(
                    "The knowledge base stores the chunking '" + text
                            + "', which this version of Pollux does not know; use" + " the version that wrote it",
                    e);
        }
    }

    private static ChunkOptions options(Map<String, String> values) {
        return ChunkOptions.builder()
                .strategy(ChunkStrategy.valueOf(values.getOrDefault(STRATEGY, "")))
                .targetTokens(number(values, TARGET_TOKENS))
                .maxTokens(number(values, MAX_TOKENS))
                .contextual(Boolean.parseBoolean(values.get(CONTEXTUAL)))
                .windowSentences(number(values, WINDOW_SENTENCES))
                .parentTokens(number(values, PARENT_TOKENS))
                .build();
    }

    private static int number(Map<String, String> values, String name) {
        return Integer.parseInt(values.getOrDefault(name, ""));
    }

    /**
     * Rejects a chunking that would cut documents in another way than those that the knowledge base has.
     *
     * @throws StorageException with the options that differ, and the remedy
     */
    void check(ChunkOptions given, Embedder embedder, Path folder) {
        String asking = Chunker.of(embedder, given).recipe();
        if (options.isEmpty()
                || asking.equals(Chunker.of(embedder, options.get()).recipe())) {
            return;
        }
        Map<String, String> kept = values(options.get());
        Map<String, String> asked = values(given);
        kept.entrySet().removeIf(option -> option.getValue().equals(asked.get(option.getKey())));
        asked.keySet().retainAll(kept.keySet());
        throw new StorageException("The knowledge base in " + folder + " cuts documents with " + text(kept)
                + ", but " + text(asked)
                + " was given; leave these options out to keep the stored ones, or delete the folder and ingest the"
                + " documents again");
    }
}
