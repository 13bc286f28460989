package dev.pollux.inference.tokenizer;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Builds a {@code tokenizer.json} from the {@code tokenizer.ggml.*} keys of a GGUF file.
 *
 * <p>This class handles the parts that all models share: tokens and their types, added tokens, and the special tokens before
 * and after a text. The models are:
 *
 * <table>
 * <caption>Models</caption>
 * <tr><th>name</th><th>algorithm</th><th>class</th></tr>
 * <tr><td>{@code gpt2}</td><td>byte-level BPE</td><td>{@link GgufBpe}</td></tr>
 * <tr><td>{@code llama}, {@code gemma4}</td><td>SentencePiece BPE</td><td>{@link GgufBpe}</td></tr>
 * <tr><td>{@code whitespace}</td><td>BPE on letters</td><td>{@link GgufBpe}</td></tr>
 * <tr><td>{@code bert}</td><td>WordPiece</td><td>{@link GgufPieces}</td></tr>
 * <tr><td>{@code t5}</td><td>Unigram</td><td>{@link GgufPieces}</td></tr>
 * </table>
 */
final class GgufTokenizer {

    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final String SPACE = "\u2581";

    private static final String PREFIX = "tokenizer.ggml.";
    private static final Set<String> PHI3_WITHOUT_STRIP = Set.of("<unk>", "<s>", "<|endoftext|>");

    private final String source;
    private final Map<String, Object> metadata;
    private final List<String> tokens;
    private final List<Long> types;
    private final ObjectNode root = new ObjectNode();

    GgufTokenizer(String source, Map<String, Object> metadata) {
        this.source = source;
        this.metadata = metadata;
        List<String> stored = list("tokens", String.class);
        this.tokens = java.util.stream.IntStream.range(0, stored.size())
                .mapToObj(id -> stored.get(id).isEmpty() ? "[EMPTY_" + id + "]" : stored.get(id))
                .toList();
        this.types = has("token_type") ? list("token_type", Long.class) : List.of();
        requireOnePerToken("token types", types.isEmpty() ? tokens.size() : types.size());
    }

    String json() {
        root.put("version", "1.0");
        String model = string("model");
        addedTokens(model);
        switch (model) {
            case "gpt2" -> new GgufBpe(this, root).byteLevel();
            case "whitespace" -> new GgufBpe(this, root).whitespace();
            case "llama" -> new GgufBpe(this, root).sentencePiece();
            case "gemma4" -> new GgufBpe(this, root).wholeText();
            case "bert" -> new GgufPieces(this, root).wordPiece();
            case "t5" -> new GgufPieces(this, root).unigram();
            default ->
                throw new UnsupportedModelException(source + ": the tokenizer model '" + model
                        + "' is not known, only gpt2, llama, gemma4, whitespace, bert and t5; use the model's folder"
                        + " with its tokenizer.json");
        }
        return root.toString();
    }

    String source() {
        return source;
    }

    List<String> tokens() {
        return tokens;
    }

    long type(int id) {
        return types.isEmpty() ? NORMAL : types.get(id);
    }

    boolean has(String key) {
        return metadata.containsKey(PREFIX + key);
    }

    void requireOnePerToken(String what, int count) {
        if (count != tokens.size()) {
            throw new MalformedFileException(source + ": there are " + tokens.size() + " tokens but " + count + " "
                    + what + "; download the file again");
        }
    }

    /** The vocabulary of {@code model}, as ids by token. */
    void vocabulary(ObjectNode model) {
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        if (vocabulary.size() != tokens.size()) {
            throw new MalformedFileException(
                    source + ": a token occurs twice in the vocabulary; download the file again");
        }
    }

    /** The id of the token with type {@code unknown}, or the one in the metadata; −1 if there is none. */
    int unknown() {
        for (int id = 0; id < types.size(); id++) {
            if (type(id) == UNKNOWN) {
                return id;
            }
        }
        return has("unknown_token_id") ? tokenId("unknown_token_id") : -1;
    }

    private void addedTokens(String model) {
        ArrayNode added = root.putArray("added_tokens");
        Set<Integer> ends = model.equals("bert") ? Set.of() : ends();
        boolean phi3 = metadata.getOrDefault("general.name", "") instanceof String name
                && name.toLowerCase(Locale.ROOT).matches(".*phi-?3.*");
        for (int id = 0; id < tokens.size(); id++) {
            long type = ends.contains(id) ? CONTROL : type(id);
            String token = tokens.get(id);
            if (type == UNKNOWN || type == CONTROL || type == USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", token)
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", phi3 && type != USER_DEFINED && !PHI3_WITHOUT_STRIP.contains(token))
                        .put("normalized", false)
                        .put("special", type != USER_DEFINED);
            }
        }
    }

    /**
     * The tokens that end a turn. They are treated as control tokens whatever their type: converted fine-tunes often store them
     * as normal tokens, which would be read as several tokens and shown.
     */
    private Set<Integer> ends() {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            ids.put(tokens.get(id), id);
        }
        Set<Integer> ends = new HashSet<>();
        TurnEnds.known(token -> ids.containsKey(token) ? OptionalInt.of(ids.get(token)) : OptionalInt.empty())
                .forEach(token -> ends.add(ids.get(token)));
        for (String key : TurnEnds.GGUF_KEYS) {
            if (metadata.get(key) instanceof Long id && id >= 0 && id < tokens.size()) {
                ends.add(id.intValue());
            }
        }
        return ends;
    }

    /** The keys of the tokens before and after a text; a key without an id adds nothing. */
    void around(List<String> before, List<String> behind) {
        List<String> first = before.stream().filter(this::has).toList();
        List<String> last = behind.stream().filter(this::has).toList();
        if (first.isEmpty() && last.isEmpty()) {
            return;
        }
        ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        ArrayNode pair = processor.putArray("pair");
        ObjectNode special = processor.putObject("special_tokens");
        first.forEach(key -> special(single, special, key, 0));
        sequence(single, "A", 0);
        last.forEach(key -> special(single, special, key, 0));
        boolean classifier = first.contains("cls_token_id") || behind.contains("seperator_token_id");
        for (int part = 0; part < 2; part++) {
            int type = part;
            if (part == 0 || !classifier) {
                first.forEach(key -> special(pair, special, key, type));
            }
            sequence(pair, part == 0 ? "A" : "B", type);
            last.forEach(key -> special(pair, special, key, type));
        }
    }

    private static void sequence(ArrayNode template, String part, int type) {
        template.addObject().putObject("Sequence").put("id", part).put("type_id", type);
    }

    private void special(ArrayNode template, ObjectNode special, String key, int type) {
        int id = tokenId(key);
        String token = tokens.get(id);
        template.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
        ObjectNode entry = special.putObject(token).put("id", token);
        entry.putArray("ids").add(id);
        entry.putArray("tokens").add(token);
    }

    int tokenId(String key) {
        Object value = metadata.get(PREFIX + key);
        if (!(value instanceof Long id) || id < 0 || id >= tokens.size()) {
            throw new MalformedFileException(source + ": " + PREFIX + key + " must be a token id in [0, "
                    + tokens.size() + ") but was " + value + "; download the file again");
        }
        return id.intValue();
    }

    boolean flag(String key, boolean fallback) {
        return metadata.getOrDefault(PREFIX + key, fallback) instanceof Boolean value ? value : fallback;
    }

    String string(String key) {
        if (metadata.get(PREFIX + key) instanceof String value) {
            return value;
        }
        throw new MalformedFileException(source + ": " + PREFIX + key + " must be a string but was "
                + metadata.get(PREFIX + key) + "; the file has no usable tokenizer");
    }

    <T> List<T> list(String key, Class<T> type) {
        if (!(metadata.get(PREFIX + key) instanceof List<?> values)
                || !values.stream().allMatch(type::isInstance)) {
            throw new MalformedFileException(source + ": " + PREFIX + key + " must be an array of "
                    + type.getSimpleName() + "; the file has no usable tokenizer");
        }
        return values.stream().map(type::cast).toList();
    }
}
