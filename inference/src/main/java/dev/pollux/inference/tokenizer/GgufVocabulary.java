package dev.pollux.inference.tokenizer;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.GgufValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The keys {@code tokenizer.ggml.*} of a GGUF file for a tokenizer: the inverse of {@link Tokenizer#ofGguf}.
 *
 * <p>Byte-level BPE is written as model {@code gpt2} if its pre-tokenizer has a name in llama.cpp. BPE with bytes as fallback is
 * written as model {@code llama}, with scores in place of merges. Other tokenizers are refused.
 *
 * @param values tokens, types, and merges or scores
 * @param notices differences that may matter
 */
public record GgufVocabulary(Map<String, GgufValue> values, List<String> notices) {

    private static final String PREFIX = "tokenizer.ggml.";
    private static final int UNUSED = 5;
    private static final int BYTE = 6;
    private static final float NEVER = -1e9f; // the score of a piece that no merge makes

    public GgufVocabulary {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        notices = List.copyOf(notices);
    }

    /**
     * Converts a tokenizer.
     *
     * @param size rows of the model's embedding; ids without a token get unused ones
     * @throws UnsupportedModelException if the format has no equivalent, or the tokenizer has more tokens than {@code size}
     */
    public static GgufVocabulary of(Tokenizer tokenizer, int size) {
        return new Conversion(JsonNode.parse(tokenizer.toJson()), size).result();
    }

    /** One conversion. <em>Confined to one thread.</em> */
    private static final class Conversion {

        private final JsonNode root;
        private final JsonNode model;
        private final List<String> tokens;
        private final List<Integer> types;
        private final Map<String, Integer> ids = new HashMap<>();
        private final Map<String, GgufValue> values = new LinkedHashMap<>();
        private final List<String> notices = new ArrayList<>();
        private int particular; // number of added tokens with rules of their own

        Conversion(JsonNode root, int size) {
            this.root = root;
            this.model = root.path("model");
            this.tokens = new ArrayList<>();
            this.types = new ArrayList<>(Collections.nCopies(size, UNUSED));
            for (int id = 0; id < size; id++) {
                tokens.add("[PAD" + id + "]");
            }
        }

        GgufVocabulary result() {
            if (!model.path("type").asString("BPE").equals("BPE")) {
                throw refused("the model '" + model.path("type").asString("") + "'");
            }
            model.path("vocab")
                    .properties()
                    .forEach(entry -> put(entry.getKey(), entry.getValue().asInt(), plain(entry.getKey())));
            root.path("added_tokens").forEach(this::added);
            if (particular > 0) {
                notices.add(particular
                        + " added tokens match whole words only or take the spaces around them, and llama.cpp"
                        + " matches them anywhere and without spaces");
            }
            List<JsonNode> steps = flat(root.path("pre_tokenizer"), "pretokenizers");
            boolean bytes = steps.stream().anyMatch(step -> is(step, "ByteLevel"));
            if (bytes) {
                byteLevel(steps);
            } else if (model.path("byte_fallback").asBoolean(false)) {
                sentencePiece(steps);
            } else {
                throw refused("BPE without bytes");
            }
            values.put(PREFIX + "tokens", GgufValue.strings(tokens));
            values.put(PREFIX + "token_type", GgufValue.i32s(types));
            if (ids.containsKey(model.path("unk_token").asString(""))) {
                int unknown = ids.get(model.path("unk_token").asString(""));
                values.put(PREFIX + "unknown_token_id", GgufValue.u32(unknown));
            }
            return new GgufVocabulary(values, notices);
        }

        private int plain(String token) {
            boolean fallback = model.path("byte_fallback").asBoolean(false);
            return fallback && token.matches("<0x[0-9A-F]{2}>") ? BYTE : GgufTokenizer.NORMAL;
        }

        private void added(JsonNode token) {
            String text = token.path("content").asString("");
            boolean special = token.path("special").asBoolean(false);
            if (Stream.of("lstrip", "rstrip", "single_word")
                    .anyMatch(rule -> token.path(rule).asBoolean(false))) {
                particular++;
            }
            boolean unknown = text.equals(model.path("unk_token").asString(""))
                    && model.path("byte_fallback").asBoolean(false);
            int type = unknown ? GgufTokenizer.UNKNOWN : special ? GgufTokenizer.CONTROL : GgufTokenizer.USER_DEFINED;
            put(text, token.path("id").asInt(-1), type);
        }

        private void put(String token, int id, int type) {
            if (id < 0 || id >= tokens.size()) {
                throw new UnsupportedModelException("The token '" + token + "' must have an id in [0, " + tokens.size()
                        + "), the rows of the embedding, but has " + id + "; give the model more rows first");
            }
            tokens.set(id, token);
            types.set(id, type);
            ids.put(token, id);
        }

        private void byteLevel(List<JsonNode> steps) {
            for (JsonNode step : flat(root.path("normalizer"), "normalizers")) {
                if (!is(step, "NFC")) {
                    throw refused("the normalizer " + step.path("type").asString(""));
                }
                notices.add("The tokenizer composes characters (NFC) and llama.cpp does not: texts with decomposed"
                        + " characters get other tokens there");
            }
            List<String> patterns = new ArrayList<>();
            steps.forEach(step -> pattern(step).ifPresent(patterns::add));
            boolean whole = model.path("ignore_merges").asBoolean(false);
            String name = PreTokenizer.nameOf(patterns, whole)
                    .orElseThrow(
                            () -> refused("the pre-tokenizer " + patterns + (whole ? " without merges of words" : "")));
            values.put(PREFIX + "model", GgufValue.string("gpt2"));
            values.put(PREFIX + "pre", GgufValue.string(name));
            List<String> merges = new ArrayList<>();
            merges().forEach(pair -> merges.add(pair[0] + " " + pair[1]));
            values.put(PREFIX + "merges", GgufValue.strings(merges));
        }

        /** The pattern that isolates words; empty if the step does not split. */
        private Optional<String> pattern(JsonNode step) {
            if (is(step, "ByteLevel") && !step.path("add_prefix_space").asBoolean(false)) {
                return step.path("use_regex").asBoolean(true) ? Optional.of(PreTokenizer.GPT2) : Optional.empty();
            }
            if (is(step, "Digits")) {
                return Optional.of(step.path("individual_digits").asBoolean(false) ? "\\p{N}" : "\\p{N}+");
            }
            JsonNode regex = step.path("pattern").path("Regex");
            boolean isolates = step.path("behavior").asString("").equals("Isolated")
                    || step.path("behavior").asString("").equals("Removed")
                            && step.path("invert").asBoolean(false);
            if (is(step, "Split") && regex.isString() && isolates) {
                return Optional.of(regex.asString());
            }
            throw refused("the pre-tokenizer " + step.shown());
        }

        private List<String[]> merges() {
            List<String[]> merges = new ArrayList<>();
            for (JsonNode merge : model.path("merges")) {
                merges.add(
                        merge.isArray()
                                ? new String[] {
                                    merge.path(0).asString(""), merge.path(1).asString("")
                                }
                                : merge.asString("").split(" ", 2));
            }
            return merges;
        }

        /** Scores order the pieces as their first merges do. */
        private void sentencePiece(List<JsonNode> steps) {
            boolean prefixed = prefixed(steps);
            List<Float> scores = new ArrayList<>(Collections.nCopies(tokens.size(), NEVER));
            int rank = 0;
            int disordered = 0;
            int last = -1;
            for (String[] pair : merges()) {
                Integer id = ids.get(pair[0] + pair[1]);
                if (id != null && scores.get(id) == NEVER) {
                    scores.set(id, (float) -rank);
                } else if (id != null && id != last) {
                    disordered++;
                }
                last = id == null ? last : id;
                rank++;
            }
            for (int id = 0; id < tokens.size(); id++) {
                if (types.get(id) != GgufTokenizer.NORMAL) {
                    scores.set(id, 0f);
                }
            }
            if (disordered > 0) {
                notices.add(
                        disordered + " of " + rank + " merges are out of the order of their pieces, which scores cannot"
                                + " express: some texts may get other tokens in llama.cpp");
            }
            values.put(PREFIX + "model", GgufValue.string("llama"));
            values.put(PREFIX + "pre", GgufValue.string("default"));
            values.put(PREFIX + "scores", GgufValue.f32s(scores));
            values.put(PREFIX + "add_space_prefix", GgufValue.bool(prefixed));
        }

        /** Whether a space is added before a text. */
        private boolean prefixed(List<JsonNode> steps) {
            boolean prefixed = false;
            for (JsonNode step : flat(root.path("normalizer"), "normalizers")) {
                boolean replaces = is(step, "Replace")
                        && step.path("pattern").path("String").asString("").equals(" ")
                        && step.path("content").asString("").equals(GgufTokenizer.SPACE);
                boolean prepends =
                        is(step, "Prepend") && step.path("prepend").asString("").equals(GgufTokenizer.SPACE);
                if (!replaces && !prepends) {
                    throw refused("the normalizer " + step.shown());
                }
                prefixed |= prepends;
            }
            for (JsonNode step : steps) {
                boolean spaces = is(step, "Split")
                        && step.path("pattern").path("String").asString("").equals(" ");
                if (!is(step, "Metaspace") && !spaces) {
                    throw refused("the pre-tokenizer " + step.shown());
                }
                prefixed |= is(step, "Metaspace")
                        && !step.path("prepend_scheme").asString("always").equals("never");
            }
            return prefixed;
        }

        private static List<JsonNode> flat(JsonNode node, String list) {
            if (node.isMissingNode() || node.isNull()) {
                return List.of();
            }
            List<JsonNode> steps = new ArrayList<>();
            if (is(node, "Sequence")) {
                node.path(list).forEach(step -> steps.addAll(flat(step, list)));
            } else {
                steps.add(node);
            }
            return steps;
        }

        private static boolean is(JsonNode step, String type) {
            return step.path("type").asString("").equals(type);
        }

        private static UnsupportedModelException refused(String what) {
            return new UnsupportedModelException("The tokenizer cannot be written to a GGUF file: " + what
                    + " has no equivalent that llama.cpp knows; only byte-level BPE with a known pre-tokenizer and"
                    + " BPE with bytes as fallback have one");
        }
    }
}
