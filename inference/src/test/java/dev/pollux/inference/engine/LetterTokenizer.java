package dev.pollux.inference.engine;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.List;

/** A tokenizer with a token for each letter from a to z, in this order from 0, and special tokens after them. */
final class LetterTokenizer {

    private LetterTokenizer() {}

    static Tokenizer of(List<String> specials) {
        ObjectNode root = new ObjectNode().put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        ObjectNode model = new ObjectNode().put("type", "BPE");
        model.putArray("merges");
        ObjectNode vocabulary = model.putObject("vocab");
        for (char letter = 'a'; letter <= 'z'; letter++) {
            vocabulary.put(Character.toString(letter), letter - 'a');
        }
        for (int i = 0; i < specials.size(); i++) {
            vocabulary.put(specials.get(i), 26 + i);
            added.addObject()
                    .put("id", 26 + i)
                    .put("content", specials.get(i))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putObject("decoder").put("type", "Fuse");
        root.set("model", model);
        return Tokenizer.ofJson("letters", root.toString());
    }
}
