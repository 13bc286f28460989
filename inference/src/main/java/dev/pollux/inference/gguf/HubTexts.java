package dev.pollux.inference.gguf;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.tokenizer.GgufVocabulary;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.GgufValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Tokenizer and chat template of a Hugging Face folder as metadata of GGUF.
 *
 * @param values the keys {@code tokenizer.*}
 * @param notices differences that may matter
 */
record HubTexts(Map<String, GgufValue> values, List<String> notices) {

    private static final String PREFIX = "tokenizer.ggml.";

    static HubTexts of(Checkpoint checkpoint, String architecture) {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        List<String> notices = new ArrayList<>();
        int size = checkpoint.config().vocabularySize();
        Optional<String> template = checkpoint.chatTemplate();
        Optional<Tokenizer> stored = checkpoint.tokenizer();
        if (stored.isEmpty()) {
            values.put(PREFIX + "model", GgufValue.string("none"));
            values.put(architecture + ".vocab_size", GgufValue.u32(size));
            notices.add(checkpoint.path() + " has no tokenizer, so the file has none; it takes token ids only");
        } else {
            try (Tokenizer tokenizer = stored.get()) {
                GgufVocabulary vocabulary = GgufVocabulary.of(tokenizer, size);
                values.putAll(vocabulary.values());
                notices.addAll(vocabulary.notices());
                specialTokens(checkpoint, tokenizer, template.orElse(""), values);
                flags(checkpoint, tokenizer, values);
            }
        }
        template.ifPresent(text -> values.put("tokenizer.chat_template", GgufValue.string(text)));
        return new HubTexts(values, notices);
    }

    private static void specialTokens(
            Checkpoint checkpoint, Tokenizer tokenizer, String template, Map<String, GgufValue> values) {
        OptionalInt bos = tokenizer.idOf(checkpoint.specialTokens().bos());
        OptionalInt eos = tokenizer.idOf(checkpoint.specialTokens().eos());
        bos.ifPresent(id -> values.put(PREFIX + "bos_token_id", GgufValue.u32(id)));
        List<Integer> ends = checkpoint.endTokens();
        int end = eos.isPresent() ? eos.getAsInt() : ends.isEmpty() ? -1 : ends.get(0);
        if (end >= 0) {
            values.put(PREFIX + "eos_token_id", GgufValue.u32(end));
        }
        ends.stream()
                .filter(id -> id != end && template.contains(tokenizer.tokenOf(id)))
                .findFirst()
                .ifPresent(id -> values.put(PREFIX + "eot_token_id", GgufValue.u32(id)));
    }

    /** The tokens around a text are those that the tokenizer adds to one. */
    private static void flags(Checkpoint checkpoint, Tokenizer tokenizer, Map<String, GgufValue> values) {
        int[] plain = tokenizer.encode("a", false);
        int[] whole = tokenizer.encode("a", true);
        int before = 0;
        while (before < whole.length && whole[before] != plain[0]) {
            before++;
        }
        int after = whole.length - before - plain.length;
        if (before > 1 || after > 1 || after < 0) {
            throw new UnsupportedModelException(checkpoint.path() + ": the tokenizer adds " + before
                    + " tokens before and " + after + " after a text; a GGUF file can add at most one of each");
        }
        values.put(PREFIX + "add_bos_token", GgufValue.bool(before == 1));
        values.put(PREFIX + "add_eos_token", GgufValue.bool(after == 1));
        if (before == 1) {
            values.put(PREFIX + "bos_token_id", GgufValue.u32(whole[0]));
        }
        if (after == 1) {
            values.put(PREFIX + "eos_token_id", GgufValue.u32(whole[whole.length - 1]));
        }
    }
}
