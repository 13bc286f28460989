package dev.pollux.inference.tokenizer;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A {@code tokenizer.json} made of the {@code tokenizer.ggml.*} keys of a GGUF file.
 *
 * <p>Model {@code gpt2} is byte-level BPE with merges and a named pre-tokenizer; model {@code llama} is SentencePiece BPE with
 * byte fallback, whose merges follow from the scores: of the pairs that join to a piece, the one with the best-scored result
 * is merged first.
 */
final class GgufTokenizer {

    private static final String PREFIX = "tokenizer.ggml.";
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final String SPACE = "\u2581";

    private final String source;
    private final Map<String, Object> metadata;
    private final List<String> tokens;
    private final List<Long> types;
    private final ObjectNode root = JsonMapper.shared().createObjectNode();

    GgufTokenizer(String source, Map<String, Object> metadata) {
        this.source = source;
        this.metadata = metadata;
        this.tokens = list("tokens", String.class);
        this.types = metadata.containsKey(PREFIX + "token_type") ? list("token_type", Long.class) : List.of();
        if (!types.isEmpty() && types.size() != tokens.size()) {
            throw new MalformedFileException(source + ": there are " + tokens.size() + " tokens but " + types.size()
                    + " token types; get the file again");
        }
    }

    String json() {
        root.put("version", "1.0");
        addedTokens();
        String model = string("model");
        switch (model) {
            case "gpt2" -> byteLevel();
            case "llama" -> sentencePiece();
            default ->
                throw new UnsupportedModelException(source + ": the tokenizer model '" + model
                        + "' is not known, only gpt2 and llama; use the model's folder with its tokenizer.json");
        }
        return root.toString();
    }

    private void byteLevel() {
        PreTokenizer pre = PreTokenizer.named(source, metadata.containsKey(PREFIX + "pre") ? string("pre") : "default");
        ArrayNode steps =
                root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        for (String pattern : pre.patterns()) {
            ObjectNode split = steps.addObject().put("type", "Split");
            split.putObject("pattern").put("Regex", pattern);
            split.put("behavior", "Isolated").put("invert", false);
        }
        steps.addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
        root.putObject("decoder")
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
        postProcessor(pre.addsBos());
        ObjectNode bpe = root.putObject("model").put("type", "BPE").put("ignore_merges", pre.ignoreMerges());
        vocabulary(bpe);
        ArrayNode merges = bpe.putArray("merges");
        for (String merge : list("merges", String.class)) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw new MalformedFileException(
                        source + ": merge '" + merge + "' must be two pieces with a space between");
            }
            merges.addArray().add(merge.substring(0, space)).add(merge.substring(space + 1));
        }
    }

    private void sentencePiece() {
        boolean prefixed = flag("add_space_prefix", true);
        ArrayNode normalizers =
                root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (prefixed) {
            normalizers.addObject().put("type", "Prepend").put("prepend", SPACE);
        }
        replace(normalizers.addObject(), " ", SPACE);
        ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
        replace(decoders.addObject(), SPACE, " ");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        if (prefixed) {
            decoders.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
        postProcessor(true);
        ObjectNode bpe = root.putObject("model")
                .put("type", "BPE")
                .put("fuse_unk", true)
                .put("byte_fallback", true)
                .put("ignore_merges", false);
        int unknown = IntStream.range(0, types.size())
                .filter(id -> types.get(id) == UNKNOWN)
                .findFirst()
                .orElse(-1);
        if (unknown >= 0) {
            bpe.put("unk_token", tokens.get(unknown));
        }
        vocabulary(bpe);
        mergesByScore(bpe.putArray("merges"));
    }

    private static void replace(ObjectNode node, String from, String to) {
        node.put("type", "Replace").put("content", to).putObject("pattern").put("String", from);
    }

    private record Merge(String left, String right, float score, int leftId, int rightId) {}

    private void mergesByScore(ArrayNode merges) {
        List<Number> scores = list("scores", Number.class);
        if (scores.size() != tokens.size()) {
            throw new MalformedFileException(source + ": there are " + tokens.size() + " tokens but " + scores.size()
                    + " scores; get the file again");
        }
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            ids.put(tokens.get(id), id);
        }
        List<Merge> found = new ArrayList<>();
        for (int id = 0; id < tokens.size(); id++) {
            String piece = tokens.get(id);
            if (!types.isEmpty() && types.get(id) != 1 || piece.length() > 256) {
                continue;
            }
            for (int cut = piece.offsetByCodePoints(0, 1); cut < piece.length(); ) {
                Integer left = ids.get(piece.substring(0, cut));
                Integer right = ids.get(piece.substring(cut));
                if (left != null && right != null) {
                    found.add(new Merge(
                            piece.substring(0, cut),
                            piece.substring(cut),
                            scores.get(id).floatValue(),
                            left,
                            right));
                }
                cut = piece.offsetByCodePoints(cut, 1);
            }
        }
        found.sort(Comparator.comparingDouble(Merge::score)
                .reversed()
                .thenComparingInt(Merge::leftId)
                .thenComparingInt(Merge::rightId));
        found.forEach(merge -> merges.addArray().add(merge.left()).add(merge.right()));
    }

    private void vocabulary(ObjectNode model) {
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        if (vocabulary.size() != tokens.size()) {
            throw new MalformedFileException(source + ": a token stands twice in the vocabulary; get the file again");
        }
    }

    private void addedTokens() {
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < types.size(); id++) {
            long type = types.get(id);
            if (type == UNKNOWN || type == CONTROL || type == USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", tokens.get(id))
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", type != USER_DEFINED);
            }
        }
    }

    private void postProcessor(boolean bosByDefault) {
        boolean bos = flag("add_bos_token", bosByDefault) && metadata.containsKey(PREFIX + "bos_token_id");
        boolean eos = flag("add_eos_token", false) && metadata.containsKey(PREFIX + "eos_token_id");
        if (!bos && !eos) {
            return;
        }
        ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        ArrayNode pair = processor.putArray("pair");
        ObjectNode special = processor.putObject("special_tokens");
        around(single, special, bos, eos, "A");
        around(pair, special, bos, eos, "A", "B");
    }

    private void around(ArrayNode template, ObjectNode special, boolean bos, boolean eos, String... parts) {
        for (String part : parts) {
            int type = part.equals("A") ? 0 : 1;
            if (bos) {
                special(template, special, "bos_token_id", type);
            }
            template.addObject().putObject("Sequence").put("id", part).put("type_id", type);
            if (eos) {
                special(template, special, "eos_token_id", type);
            }
        }
    }

    private void special(ArrayNode template, ObjectNode special, String key, int type) {
        if (!(metadata.get(PREFIX + key) instanceof Long id) || id < 0 || id >= tokens.size()) {
            throw new MalformedFileException(
                    source + ": " + PREFIX + key + " must be a token id but was " + metadata.get(PREFIX + key));
        }
        String token = tokens.get(id.intValue());
        template.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
        ObjectNode entry = special.putObject(token).put("id", token);
        entry.putArray("ids").add(id);
        entry.putArray("tokens").add(token);
    }

    private boolean flag(String key, boolean fallback) {
        return metadata.getOrDefault(PREFIX + key, fallback) instanceof Boolean value ? value : fallback;
    }

    private String string(String key) {
        if (metadata.get(PREFIX + key) instanceof String value) {
            return value;
        }
        throw new MalformedFileException(source + ": " + PREFIX + key + " must be a string but was "
                + metadata.get(PREFIX + key) + "; the file has no usable tokenizer");
    }

    private <T> List<T> list(String key, Class<T> type) {
        if (!(metadata.get(PREFIX + key) instanceof List<?> values)
                || !values.stream().allMatch(type::isInstance)) {
            throw new MalformedFileException(source + ": " + PREFIX + key + " must be an array of "
                    + type.getSimpleName() + "; the file has no usable tokenizer");
        }
        return values.stream().map(type::cast).toList();
    }
}
