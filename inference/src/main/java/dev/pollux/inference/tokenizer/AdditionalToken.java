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
 * A token that is looked for in a text before the text is cut. <em>Immutable.</em>
 *
 * @param content its text
 * @param special whether it steers the model, so that it is left out where only text is wanted
 * @param normalized whether it is looked for in the normalized text
 * @param singleWord whether it counts only where no letter or digit is beside it
 * @param leftStrip whether blanks before it belong to it
 * @param rightStrip whether blanks behind it belong to it
 */
public record AdditionalToken(
        String content,
        boolean special,
        boolean normalized,
        boolean singleWord,
        boolean leftStrip,
        boolean rightStrip) {

    private static final String TOKENS = "added_tokens";

    /** A token that steers the model. */
    public static AdditionalToken special(String content) {
        return new AdditionalToken(content, true, false, false, false, false);
    }

    /** The same token, special. */
    public AdditionalToken asSpecial() {
        return new AdditionalToken(content, true, normalized, singleWord, leftStrip, rightStrip);
    }

    /** What a {@code tokenizer.json} holds already. */
    static Set<String> in(JsonNode tokenizer) {
        Set<String> contents = new HashSet<>();
        tokenizer
                .path(TOKENS)
                .forEach(token -> contents.add(token.path("content").asString("")));
        return contents;
    }

    /**
     * Adds those that are lacking to a {@code tokenizer.json}. A token that is in the vocabulary keeps its id; the others get the
     * ids behind the vocabulary and behind all that were added before, as the tokenizers library gives them.
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

    /** Of an object of ids, or of a list of pieces with scores. */
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
