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
 * Text to token ids and back.
 *
 * <p>Truncation and padding that a {@code tokenizer.json} asks for are switched off: a text always gives all its tokens.
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
    /** Held for reading by whoever is inside the native library, for writing while it is freed. */
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
        } catch (RuntimeException e) { // the native library throws nothing narrower
            throw new MalformedFileException(source + " is not a tokenizer that can be read: " + e.getMessage(), e);
        }
        this.handle = OpenHandle.of("tokenizer " + source);
    }

    /**
     * Opens a {@code tokenizer.json}.
     *
     * @throws MalformedFileException if it is not one
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

    /** A tokenizer from the text of a {@code tokenizer.json}; {@code source} is named in errors. */
    public static Tokenizer ofJson(String source, String json) {
        return new Tokenizer(source, json);
    }

    /**
     * A tokenizer rebuilt from the metadata of a GGUF file.
     *
     * @throws MalformedFileException if a part of it is missing or inconsistent
     * @throws dev.pollux.UnsupportedModelException if its model or pre-tokenizer is not known
     */
    public static Tokenizer ofGguf(String source, Map<String, Object> metadata) {
        return new Tokenizer(source, new GgufTokenizer(source, metadata).json());
    }

    /**
     * A tokenizer from a {@code tokenizer.model} of SentencePiece, for folders that have no {@code tokenizer.json}.
     *
     * @param settings what {@code tokenizer_config.json} says of it: {@code add_bos_token} and {@code add_eos_token}, each
     *     {@code Boolean}; where a key is absent, BPE models put the beginning before a text and unigram models the end
     *     behind it
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
     * A tokenizer from a vocabulary in tiktoken's form, a line of base64 and rank for each token: the {@code tokenizer.model}
     * of Llama 3's original folders, {@code qwen.tiktoken}, {@code cl100k_base.tiktoken} and others.
     *
     * @param encoding how text is cut, which the file does not say: one of {@link #tiktokenEncodings}
     * @param specialTokens their ids; where it is empty, those that the encoding is known for
     * @throws StorageException if it cannot be read
     * @throws MalformedFileException if it is damaged, or larger than 16 MiB
     * @throws dev.pollux.UnsupportedModelException if the encoding is not known
     */
    public static Tokenizer ofTiktoken(Path file, String encoding, Map<String, Integer> specialTokens) {
        return ofTiktoken(file, encoding, specialTokens, Map.of());
    }

    /** The same with settings as {@link #ofSentencePiece} takes them; only {@code llama3} puts its beginning before a text. */
    public static Tokenizer ofTiktoken(
            Path file, String encoding, Map<String, Integer> specialTokens, Map<String, Boolean> settings) {
        Map<String, Object> metadata = Tiktoken.read(file, encoding, specialTokens);
        settings.forEach((key, value) -> metadata.put("tokenizer.ggml." + key, value));
        return ofGguf(file.toString(), metadata);
    }

    /** The encodings that {@link #ofTiktoken} knows, sorted. */
    public static List<String> tiktokenEncodings() {
        return Tiktoken.encodings();
    }

    /** Whether a file begins as a vocabulary of tiktoken does. */
    public static boolean isTiktoken(Path file) {
        return Tiktoken.isIn(file);
    }

    /**
     * Token ids of a text.
     *
     * @param text a lone surrogate is read as U+FFFD
     * @param addSpecialTokens whether the tokenizer adds the special tokens it puts around a text (BOS, [CLS] …); special
     *     tokens that stand in the text are recognised either way
     * @return (tokens)
     */
    public int[] encode(String text, boolean addSpecialTokens) {
        String clean = wellFormed(text);
        return run(() -> encoder.ids(clean, addSpecialTokens));
    }

    /** As {@link #encode}, with the place of each token in the text. */
    public Encoding encodeWithOffsets(String text, boolean addSpecialTokens) {
        String clean = wellFormed(text);
        return run(() -> encoder.encode(clean, addSpecialTokens));
    }

    /** Two texts as one sequence, in the form that the tokenizer gives to pairs (cross-encoders read these). */
    public Encoding encodePair(String text, String pair, boolean addSpecialTokens) {
        String cleanText = wellFormed(text);
        String cleanPair = wellFormed(pair);
        return run(() -> encoder.encode(cleanText, cleanPair, addSpecialTokens));
    }

    /** The text of token ids; {@code skipSpecialTokens} leaves special tokens out, ids without a token give nothing. */
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

    /** The native side reads UTF-8, which has no lone surrogates. */
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

    /** A decoder that gives text token by token. */
    public TokenDecoder streamDecoder(boolean skipSpecialTokens) {
        return new TokenDecoder(this, skipSpecialTokens);
    }

    /** One more than the largest id. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /** The id of a token as the vocabulary spells it, if it has one. */
    public OptionalInt idOf(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The token {@code id} as the vocabulary spells it; empty where the id is not used. */
    public String tokenOf(int id) {
        if (id < 0 || id >= vocabularySize) {
            throw new IllegalArgumentException("id must be in [0, " + vocabularySize + ") but was " + id);
        }
        return tokens.getOrDefault(id, "");
    }

    /** Tokens that are found in text before it is cut. */
    List<AddedToken> addedTokens() {
        return List.copyOf(added);
    }

    /** A token that is found as it is spelled; {@code special} as the file marks it. */
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
     * A tokenizer that also has these tokens: this one where it has them all; else another, and this one is closed. A token of the
     * vocabulary keeps its id, the others get the next that are free, in the order given.
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

    /** Frees the native tokenizer once no call is inside it. Idempotent. */
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
