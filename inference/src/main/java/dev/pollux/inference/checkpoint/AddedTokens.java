package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.tokenizer.AdditionalToken;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tokens that the files next to a {@code tokenizer.json} add to it, with the rules of transformers 5.24.
 *
 * <table>
 * <caption>Sources</caption>
 * <tr><th>{@code tokenizer_config.json}</th><th>list of tokens</th><th>special tokens</th></tr>
 * <tr><td>has {@code added_tokens_decoder}</td><td>that key</td><td>those that this file names</td></tr>
 * <tr><td>lacks it</td><td>{@code added_tokens.json}</td><td>those that {@code special_tokens_map.json} names; it takes
 * precedence over {@code tokenizer_config.json}</td></tr>
 * </table>
 *
 * <p>Special tokens that are not in the list are added after it: {@code bos_token} and similar keys, then
 * {@code extra_special_tokens}, formerly {@code additional_special_tokens}.
 */
final class AddedTokens {

    private static final int MAX_ID = 1 << 24;
    private static final List<String> NAMED =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private final ModelTexts texts;

    AddedTokens(ModelTexts texts) {
        this.texts = texts;
    }

    /** The tokens in the order in which they get their ids. */
    List<AdditionalToken> read() {
        JsonNode config = texts.json(ModelTexts.TOKENIZER_CONFIG).orElse(JsonNode.missing());
        boolean listed = config.path("added_tokens_decoder").isObject();
        JsonNode names = listed ? config : merged(config);
        List<AdditionalToken> special = special(names);
        Set<String> named = new HashSet<>();
        special.forEach(token -> named.add(token.content()));
        List<AdditionalToken> tokens = new ArrayList<>();
        for (AdditionalToken token : (listed ? decoder(config) : addedTokens()).values()) {
            tokens.add(named.contains(token.content()) ? token.asSpecial() : token);
        }
        tokens.addAll(special);
        return tokens;
    }

    private JsonNode merged(JsonNode config) {
        ObjectNode merged = config instanceof ObjectNode object ? object.deepCopy() : new ObjectNode();
        texts.json(ModelTexts.SPECIAL_TOKENS)
                .orElse(JsonNode.missing())
                .properties()
                .forEach(entry -> merged.set(entry.getKey(), entry.getValue()));
        return merged;
    }

    private Map<Integer, AdditionalToken> decoder(JsonNode config) {
        Map<Integer, AdditionalToken> tokens = new TreeMap<>();
        config.path("added_tokens_decoder").properties().forEach(entry -> {
            if (!entry.getKey().matches("[0-9]{1,9}")) {
                throw new MalformedFileException(texts.folder().resolve(ModelTexts.TOKENIZER_CONFIG)
                        + ": added_tokens_decoder must have ids for keys but has '" + entry.getKey() + "'");
            }
            token(entry.getValue(), false).ifPresent(token -> tokens.put(Integer.parseInt(entry.getKey()), token));
        });
        return tokens;
    }

    private Map<Integer, AdditionalToken> addedTokens() {
        Map<Integer, AdditionalToken> tokens = new TreeMap<>();
        texts.json(ModelTexts.ADDED_TOKENS)
                .orElse(JsonNode.missing())
                .properties()
                .forEach(entry -> {
                    int id = entry.getValue().asInt(-1);
                    if (id < 0 || id > MAX_ID) {
                        throw new MalformedFileException(
                                texts.folder().resolve(ModelTexts.ADDED_TOKENS) + ": the id of '"
                                        + entry.getKey() + "' must be in [0, " + MAX_ID + "] but was "
                                        + entry.getValue().shown());
                    }
                    tokens.put(id, new AdditionalToken(entry.getKey(), false, true, false, false, false));
                });
        return tokens;
    }

    private static List<AdditionalToken> special(JsonNode names) {
        Map<String, AdditionalToken> special = new LinkedHashMap<>();
        NAMED.forEach(key -> put(special, names.path(key)));
        names.properties().stream()
                .filter(entry -> entry.getKey().endsWith("_token"))
                .forEach(entry -> put(special, entry.getValue()));
        String extra = names.hasNonNull("extra_special_tokens") ? "extra_special_tokens" : "additional_special_tokens";
        names.path(extra).forEach(token -> put(special, token));
        return List.copyOf(special.values());
    }

    private static void put(Map<String, AdditionalToken> special, JsonNode token) {
        token(token, true).ifPresent(read -> special.putIfAbsent(read.content(), read));
    }

    /** Reads a token that is a string or an object. */
    private static Optional<AdditionalToken> token(JsonNode token, boolean special) {
        if (token.isString()) {
            return Optional.of(token.asString()).filter(text -> !text.isEmpty()).map(AdditionalToken::special);
        }
        String content = token.path("content").asString("");
        if (content.isEmpty()) {
            return Optional.empty();
        }
        boolean steers = special || token.path("special").asBoolean(false);
        return Optional.of(new AdditionalToken(
                content,
                steers,
                token.path("normalized").asBoolean(!steers),
                token.path("single_word").asBoolean(false),
                token.path("lstrip").asBoolean(false),
                token.path("rstrip").asBoolean(false)));
    }
}
