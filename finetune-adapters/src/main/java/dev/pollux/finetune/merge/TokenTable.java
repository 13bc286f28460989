package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** The tokens of a {@code tokenizer.json}: those of its model, then the added ones. */
final class TokenTable {

    private final ObjectNode json;
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final Map<String, ObjectNode> added = new LinkedHashMap<>();

    private TokenTable(ObjectNode json) {
        this.json = json;
    }

    /** Reads the tokens of a model in a folder. */
    static TokenTable of(InputModel model) {
        ObjectNode json = model.tokenizer()
                .orElseThrow(() -> new MalformedFileException("model " + model.label()
                        + " has no tokenizer.json, which a tokenizer section needs; add it or drop the section"));
        TokenTable table = new TokenTable(json);
        JsonNode vocabulary = json.path("model").path("vocab");
        if (vocabulary instanceof ArrayNode pieces) { // Unigram: [[piece, score], …]
            for (int id = 0; id < pieces.size(); id++) {
                table.ids.put(pieces.path(id).path(0).asString(), id);
            }
        } else {
            vocabulary.properties().forEach(entry -> table.ids.put(entry.getKey(), table.id(entry.getValue())));
        }
        for (JsonNode token : json.path("added_tokens")) {
            if (token instanceof ObjectNode object) {
                String content = object.path("content").asString();
                table.ids.put(content, table.id(object.path("id")));
                table.added.put(content, object);
            }
        }
        if (table.ids.isEmpty()) {
            throw new MalformedFileException("the tokenizer of " + model.label() + " has no tokens; download it again");
        }
        return table;
    }

    private int id(JsonNode node) {
        int id = node.asInt(-1);
        if (id < 0 || id > 1 << 24) {
            throw new MalformedFileException("token ids must be in [0, " + (1 << 24) + "] but one was " + node);
        }
        return id;
    }

    ObjectNode json() {
        return json;
    }

    /** Token → id. */
    Map<String, Integer> ids() {
        return ids;
    }

    /** Added token → its entry. */
    Map<String, ObjectNode> added() {
        return added;
    }
}
