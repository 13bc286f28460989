package dev.pollux.inference.tokenizer;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.internal.natives.NativeLibraries;
import dev.pollux.internal.OpenHandle;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/**
 * Converts text to token ids and back.
 *
 * <p>Truncation and padding settings of a {@code tokenizer.json} are disabled: a text always gives all its tokens.
 * <em>Thread-safe.</em>
 */
public final class Tokenizer implements AutoCloseable {

    private static final long MAX_BYTES = 128L << 20;

    private final NativeTokenizer encoder;
    private final String source;
    private final String json;
    private final Map<String, Integer> ids;
    private final Map<Integer, String> tokens;
    private final List<AddedToken> added = new ArrayList<>();
    private final int vocabularySize;
    private final OpenHandle handle;
    /** The read lock is held during native calls, the write lock while the native tokenizer is freed. */
    private final ReentrantReadWriteLock inside = new ReentrantReadWriteLock();

    private boolean closed;

    private Tokenizer(String source, String json) {
        this.source = source;
        ObjectNode root = parse(source, json);
        root.putNull("truncation");
        root.putNull("padding");
        this.json = root.toString();
        this.ids = vocabulary(source, root);
        root.path("added_tokens")
                .forEach(token -> added.add(new AddedToken(
                        token.path("content").asString(""),
                        token.path("id").asInt(-1),
                        token.path("special").asBoolean(false))));
        this.tokens = new HashMap<>();
        ids.forEach((token, id) -> tokens.put(id, token));
        this.vocabularySize = ids.values().stream().mapToInt(id -> id + 1).max().orElse(0);
        NativeLibraries.loadTokenizers();
        try {
            this.encoder = new NativeTokenizer(this.json);
        } catch (RuntimeException e) { // the native library throws no more specific type
            throw new MalformedFileException(source + " is not a tokenizer that can be read: " + e.getMessage(), e);
        }
        this.handle = OpenHandle.of("tokenizer " + source);
    }

    /**
     * Opens a {@code tokenizer.json}.
     *
     * @throws MalformedFileException if the file is not a {@code tokenizer.json}
     */
    public static Tokenizer open(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            String json = Files.readString(file);
            return new Tokenizer(file.toString(), json.startsWith("\uFEFF") ? json.substring(1) : json);
        } catch (CharacterCodingException e) {
            throw new MalformedFileException(file + " is not UTF-8", e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** A tokenizer from the text of a {@code tokenizer.json}; errors name {@code source}. */
    public static Tokenizer ofJson(String source, String json) {
        return new Tokenizer(source, json);
    }

    /**
     * A tokenizer rebuilt from the metadata of a GGUF file.
     *
     * @throws MalformedFileException if part of the metadata is missing or inconsistent
     * @throws dev.pollux.UnsupportedModelException if its model or pre-tokenizer is not known
     */
    public static Tokenizer ofGguf(String source, Map<String, Object> metadata) {
        return new Tokenizer(source, new GgufTokenizer(source, metadata).json());
    }

    /**
     * A tokenizer from a SentencePiece {@code tokenizer.model}, for folders without a {@code tokenizer.json}.
     *
     * @param settings {@code add_bos_token} and {@code add_eos_token} of {@code tokenizer_config.json}, each a
     *     {@code Boolean}. If a key is absent, BPE models add BOS before a text, and unigram models add EOS after it
     * @throws StorageException if it cannot be read
     * @throws MalformedFileException if it is damaged
     * @throws dev.pollux.UnsupportedModelException if it is neither a BPE nor a unigram model
     */
    public static Tokenizer ofSentencePiece(Path file, Map<String, Boolean> settings) {
        Map<String, Object> metadata = SentencePieceFile.read(file);
        settings.forEach((key, value) -> metadata.put("tokenizer.ggml." + key, value));
        return ofGguf(file.toString(), metadata);
    }

    /**
     * A tokenizer from a tiktoken vocabulary, one line of base64 and rank per token: the {@code tokenizer.model} of Llama 3's
     * original folders, {@code qwen.tiktoken}, {@code cl100k_base.tiktoken} and others.
     *
     * @param encoding determines the pre-tokenization, which the file does not specify: one of {@link #tiktokenEncodings}
     * @param specialTokens the ids of the special tokens; if empty, those of the encoding
     * @throws StorageException if it cannot be read
     * @throws MalformedFileException if it is damaged, or larger than 16 MiB
     * @throws dev.pollux.UnsupportedModelException if the encoding is not known
     */
    public static Tokenizer ofTiktoken(Path file, String encoding, Map<String, Integer> specialTokens) {
        return ofTiktoken(file, encoding, specialTokens, Map.of());
    }

    /** The same with settings as for {@link #ofSentencePiece}; by default only {@code llama3} adds BOS before a text. */
    public static Tokenizer ofTiktoken(
            Path file, String encoding, Map<String, Integer> specialTokens, Map<String, Boolean> settings) {
        Map<String, Object> metadata = Tiktoken.read(file, encoding, specialTokens);
        settings.forEach((key, value) -> metadata.put("tokenizer.ggml." + key, value));
        return ofGguf(file.toString(), metadata);
    }

    /** The encodings that {@link #ofTiktoken} supports, sorted. */
    public static List<String> tiktokenEncodings() {
        return Tiktoken.encodings();
    }

    /** Whether the beginning of a file is that of a tiktoken vocabulary. */
    public static boolean isTiktoken(Path file) {
        return Tiktoken.isIn(file);
    }

    /**
     * The token ids of a text.
     *
     * @param text a lone surrogate is read as U+FFFD
     * @param addSpecialTokens whether to add the special tokens before and after a text (BOS, [CLS] …); special tokens
     *     within the text are recognised in both cases
     * @return (tokens)
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        String clean = wellFormed(text);
        return run(() -> encoder.ids(clean, addSpecialTokens));
    }

    /** The same as {@link #encode}, with the position of each token in the text. */
    public Encoding encodeWithOffsets(String text, boolean addSpecialTokens) {
        String clean = wellFormed(text);
        return run(() -> encoder.encode(clean, addSpecialTokens));
    }

    /** Encodes two texts as one sequence, in the tokenizer's format for pairs, which cross-encoders read. */
    public Encoding encodePair(String text, String pair, boolean addSpecialTokens) {
        String cleanText = wellFormed(text);
        String cleanPair = wellFormed(pair);
        return run(() -> encoder.encode(cleanText, cleanPair, addSpecialTokens));
    }

    /** Decodes token ids. {@code skipSpecialTokens} omits special tokens; ids without a token give no text. */
    public String decode(int[] ids, boolean skipSpecialTokens) {
        for (int id : ids) {
            if (id < 0) {
                throw new IllegalArgumentException("token ids must be at least 0 but one was " + id);
            }
        }
        return run(() -> ids.length == 0 ? "" : encoder.decode(ids, skipSpecialTokens));
    }

    private <T> T run(Supplier<T> call) {
        inside.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("The tokenizer is closed; open it again");
            }
            return call.get();
        } finally {
            inside.readLock().unlock();
        }
    }

    /** Replaces lone surrogates, which UTF-8 on the native side cannot represent. */
    private static String wellFormed(String text) {
        StringBuilder mended = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                i++;
                continue;
            }
            mended = mended == null ? new StringBuilder(text) : mended;
            mended.setCharAt(i, '\uFFFD');
        }
        return mended == null ? text : mended.toString();
    }

    /** Creates a decoder that returns text token by token. */
    public TokenDecoder streamDecoder(boolean skipSpecialTokens) {
        return new TokenDecoder(this, skipSpecialTokens);
    }

    /** The largest id plus 1. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /** The id of a token, spelled as in the vocabulary, if it exists. */
    public OptionalInt idOf(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The token with id {@code id}, spelled as in the vocabulary; empty if the id is unused. */
    public String tokenOf(int id) {
        if (id < 0 || id >= vocabularySize) {
            throw new IllegalArgumentException("id must be in [0, " + vocabularySize + ") but was " + id);
        }
        return tokens.getOrDefault(id, "");
    }

    /** The tokens that are matched in text before pre-tokenization. */
    List<AddedToken> addedTokens() {
        return List.copyOf(added);
    }

    /** A token that is matched in text as it is spelled; {@code special} is its mark in the file. */
    record AddedToken(String content, int id, boolean special) {}

    /** This tokenizer as the text of a {@code tokenizer.json}, without truncation and padding. */
    public String toJson() {
        return json;
    }

    private static ObjectNode parse(String source, String json) {
        if (JsonNode.parse(json, source) instanceof ObjectNode object) {
            return object;
        }
        throw new MalformedFileException(source + " must be a JSON object");
    }

    private static Map<String, Integer> vocabulary(String source, ObjectNode root) {
        Map<String, Integer> ids = new HashMap<>();
        JsonNode vocabulary = root.path("model").path("vocab");
        vocabulary
                .properties()
                .forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt(-1)));
        for (int id = 0; vocabulary.isArray() && id < vocabulary.size(); id++) { // Unigram: [[piece, score], …]
            ids.put(vocabulary.path(id).path(0).asString(""), id);
        }
        root.path("added_tokens")
                .forEach(token -> ids.put(
                        token.path("content").asString(""), token.path("id").asInt(-1)));
        if (ids.values().stream().anyMatch(id -> id < 0 || id > 1 << 24)) {
            throw new MalformedFileException(source + ": token ids must be in [0, 16777216]");
        }
        return ids;
    }

    /**
     * A tokenizer that also has the given tokens. If this one has them all, it is returned; otherwise a new one is returned and
     * this one is closed. A token in the vocabulary keeps its id; the others get the next free ids, in the given order.
     */
    public Tokenizer adding(List<AdditionalToken> tokens) {
        Set<String> there = new HashSet<>();
        added.forEach(token -> there.add(token.content()));
        if (tokens.stream().allMatch(token -> there.contains(token.content()))) {
            return this;
        }
        try {
            ObjectNode root = parse(source, json);
            AdditionalToken.addTo(root, tokens);
            return new Tokenizer(source, root.toString());
        } finally {
            close();
        }
    }

    /** Frees the native tokenizer after all calls have left it. Idempotent. */
    @Override
    public void close() {
        inside.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                encoder.close();
                handle.close();
            }
        } finally {
            inside.writeLock().unlock();
        }
    }
}
