package dev.pollux.inference.tokenizer;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Converts the WordPiece and Unigram models of GGUF to parts of a {@code tokenizer.json}.
 *
 * <p>GGUF prefixes a WordPiece token at the start of a word with U+2581, and removes the prefix {@code ##} of the original
 * vocabulary from one inside a word.
 */
final class GgufPieces {

    private static final int MAX_WORD = 100; // as in BERT's own vocabularies

    private final GgufTokenizer gguf;
    private final ObjectNode root;

    GgufPieces(GgufTokenizer gguf, ObjectNode root) {
        this.gguf = gguf;
        this.root = root;
    }

    /** Model {@code bert}. */
    void wordPiece() {
        boolean lowercase = gguf.flag("normalizer.lowercase", true);
        root.putObject("normalizer")
                .put("type", "BertNormalizer")
                .put("clean_text", true)
                .put("handle_chinese_chars", true)
                .put("strip_accents", gguf.flag("normalizer.strip_accents", lowercase))
                .put("lowercase", lowercase);
        root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
        root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
        gguf.around(
                gguf.flag("add_bos_token", true)
                        ? List.of(gguf.has("bos_token_id") ? "bos_token_id" : "cls_token_id")
                        : List.of(),
                gguf.flag("add_sep_token", true)
                        ? List.of(gguf.has("seperator_token_id") ? "seperator_token_id" : "eos_token_id")
                        : List.of());
        ObjectNode model = root.putObject("model")
                .put("type", "WordPiece")
                .put("unk_token", gguf.tokens().get(requireUnknown("[UNK]")))
                .put("continuing_subword_prefix", "##")
                .put("max_input_chars_per_word", MAX_WORD);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < gguf.tokens().size(); id++) {
            vocabulary.put(wordPiece(id), id);
        }
        gguf.requireOnePerToken("distinct tokens", vocabulary.size());
    }

    private String wordPiece(int id) {
        String token = gguf.tokens().get(id);
        if (token.startsWith(GgufTokenizer.SPACE)) {
            return token.substring(1);
        }
        boolean plain = gguf.type(id) == GgufTokenizer.NORMAL && !token.matches("\\[[A-Za-z0-9_]+]");
        return plain ? "##" + token : token;
    }

    /** Model {@code t5}. */
    void unigram() {
        ArrayNode normalizers =
                root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (gguf.has("precompiled_charsmap")) {
            normalizers.addObject().put("type", "Precompiled").put("precompiled_charsmap", charsmap());
        }
        if (gguf.flag("remove_extra_whitespaces", true)) {
            normalizers.addObject().put("type", "Strip").put("strip_left", true).put("strip_right", true);
            ObjectNode runs = normalizers.addObject().put("type", "Replace").put("content", " ");
            runs.putObject("pattern").put("Regex", " {2,}");
        }
        boolean prefixed = gguf.flag("add_space_prefix", true);
        for (String part : List.of("pre_tokenizer", "decoder")) {
            root.putObject(part)
                    .put("type", "Metaspace")
                    .put("replacement", GgufTokenizer.SPACE)
                    .put("prepend_scheme", prefixed ? "always" : "never")
                    .put("split", true);
        }
        gguf.around(
                gguf.flag("add_bos_token", false) ? List.of("bos_token_id") : List.of(),
                gguf.flag("add_eos_token", true) ? List.of("eos_token_id") : List.of());
        List<Number> scores = gguf.list("scores", Number.class);
        gguf.requireOnePerToken("scores", scores.size());
        ObjectNode model = root.putObject("model").put("type", "Unigram").put("unk_id", requireUnknown("<unk>"));
        ArrayNode vocabulary = model.putArray("vocab");
        for (int id = 0; id < gguf.tokens().size(); id++) {
            vocabulary.addArray().add(gguf.tokens().get(id)).add(scores.get(id).doubleValue());
        }
    }

    private String charsmap() {
        List<Long> values = new ArrayList<>(gguf.list("precompiled_charsmap", Long.class));
        byte[] bytes = new byte[values.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = values.get(i).byteValue();
        }
        return Base64.getEncoder().encodeToString(bytes);
    }

    private int requireUnknown(String usual) {
        int id = gguf.unknown() >= 0 ? gguf.unknown() : gguf.tokens().indexOf(usual);
        if (id < 0) {
            throw new MalformedFileException(
                    gguf.source() + ": the vocabulary has no unknown token; download the file again");
        }
        return id;
    }
}
