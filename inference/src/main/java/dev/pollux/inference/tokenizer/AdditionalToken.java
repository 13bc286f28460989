package dev.pollux.inference.tokenizer;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A token that is matched in a text before pre-tokenization. <em>Immutable.</em>
 *
 * @param content its text
 * @param special whether it is a control token, which is omitted from decoded text
 * @param normalized whether it is matched in the normalized text
 * @param singleWord whether it matches only if no letter or digit is adjacent
 * @param leftStrip whether it includes the whitespace before it
 * @param rightStrip whether it includes the whitespace after it
 */
public record AdditionalToken(
        String content,
        boolean special,
        boolean normalized,
        boolean singleWord,
        boolean leftStrip,
        boolean rightStrip) {

    private static final String TOKENS = "added_tokens";

    /** A control token. */
    public static AdditionalToken special(String content) {
        return new AdditionalToken(content, true, false, false, false, false);
    }

    /** The same token, marked as special. */
    public AdditionalToken asSpecial() {
        return new AdditionalToken(content, true, normalized, singleWord, leftStrip, rightStrip);
    }

    /** The added tokens of a {@code tokenizer.json}. */
    static Set<String> in(JsonNode tokenizer) {
        Set<String> contents = new HashSet<>();
        tokenizer
                .path(TOKENS)
                .forEach(token -> contents.add(token.path("content").asString("")));
        return contents;
    }

    /**
     * Adds the missing tokens to a {@code tokenizer.json}. A token in the vocabulary keeps its id; the others get the ids after
     * the vocabulary and after all previously added tokens, as in the tokenizers library.
     */
    static void addTo(ObjectNode tokenizer, List<AdditionalToken> tokens) {
        Set<String> there = in(tokenizer);
        Map<String, Integer> vocabulary = vocabulary(tokenizer.path("model").path("vocab"));
        JsonNode before = tokenizer.path(TOKENS);
        ArrayNode all = tokenizer.putArray(TOKENS);
        int next = vocabulary.size();
        for (JsonNode token : before) {
            all.add(token);
            next = Math.max(next, token.path("id").asInt(-1) + 1);
        }
        for (AdditionalToken token : tokens) {
            if (!token.content.isEmpty() && there.add(token.content)) {
                Integer known = vocabulary.get(token.content);
                all.add(token.json(known == null ? next++ : known));
            }
        }
    }

    /** Reads a vocabulary that is an object of ids, or a list of pieces with scores. */
    private static Map<String, Integer> vocabulary(JsonNode stored) {
        Map<String, Integer> ids = new HashMap<>();
        stored.properties()
                .forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt(-1)));
        for (int id = 0; stored.isArray() && id < stored.size(); id++) {
            ids.put(stored.path(id).path(0).asString(""), id);
        }
        return ids;
    }

    private ObjectNode json(int id) {
        return new ObjectNode()
                .put("id", id)
                .put("content", content)
                .put("single_word", singleWord)
                .put("lstrip", leftStrip)
                .put("rstrip", rightStrip)
                .put("normalized", normalized)
                .put("special", special);
    }
}
