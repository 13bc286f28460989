package dev.pollux.inference.tokenizer;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Converts the BPE models of GGUF to parts of a {@code tokenizer.json}.
 *
 * <p>SentencePiece stores scores instead of merges: the pair whose merged piece has the highest score is merged first.
 */
final class GgufBpe {

    private static final int MAX_PIECE = 256;
    /** Names of pre-tokenizers that neither split the text nor replace its bytes. */
    private static final Set<String> WHOLE_TEXT = Set.of("gemma4", "granite-embed-multi-311m", "sarvam-moe");

    private final GgufTokenizer gguf;
    private final ObjectNode root;

    GgufBpe(GgufTokenizer gguf, ObjectNode root) {
        this.gguf = gguf;
        this.root = root;
    }

    /** Model {@code gpt2}: byte-level BPE with merges and a named pre-tokenizer. */
    void byteLevel() {
        String name = gguf.has("pre") ? gguf.string("pre") : "default";
        if (WHOLE_TEXT.contains(name)) {
            wholeText();
            return;
        }
        if (name.equals("whitespace")) {
            whitespace();
            return;
        }
        PreTokenizer pre = PreTokenizer.named(gguf.source(), name);
        ArrayNode steps =
                root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        for (String pattern : pre.patterns()) {
            ObjectNode split = steps.addObject().put("type", "Split");
            split.putObject("pattern").put("Regex", pattern);
            split.put("behavior", "Isolated").put("invert", false);
        }
        byteLevel(steps.addObject());
        ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
        writtenOutTokens(decoders);
        byteLevel(decoders.addObject());
        around(pre.addsBos(), pre.addsSeparator());
        ObjectNode bpe = root.putObject("model")
                .put("type", "BPE")
                .put("ignore_merges", pre.ignoreMerges() || gguf.flag("ignore_merges", false));
        gguf.vocabulary(bpe);
        storedMerges(bpe);
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
    }

    /**
     * Added tokens are written as text, all others in the byte alphabet. An added token that is valid in both forms, such as
     * {@code ü}, is converted to the byte alphabet before decoding.
     */
    private void writtenOutTokens(ArrayNode decoders) {
        for (int id = 0; id < gguf.tokens().size(); id++) {
            String token = gguf.tokens().get(id);
            long type = gguf.type(id);
            boolean added = type == GgufTokenizer.CONTROL || type == GgufTokenizer.USER_DEFINED;
            if (added && !isAscii(token) && token.chars().allMatch(GgufBpe::standsForByte)) {
                ObjectNode replace = decoders.addObject().put("type", "Replace");
                replace.putObject("pattern").put("Regex", "\\A" + escape(token) + "\\z");
                replace.put("content", byteLetters(token));
            }
        }
    }

    private static boolean isAscii(String token) {
        return token.chars().allMatch(c -> c < 128);
    }

    private static String escape(String token) {
        return Pattern.compile("[^\\p{L}\\p{N}]").matcher(token).replaceAll("\\\\$0");
    }

    /** The byte alphabet: printable Latin-1 characters represent themselves, and U+0100 to U+0143 the other 68 bytes. */
    private static boolean standsForByte(int c) {
        return isPrintable(c) || c >= 0x100 && c < 0x144;
    }

    private static boolean isPrintable(int b) {
        return b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae && b <= 0xff;
    }

    private static String byteLetters(String text) {
        return byteLetters(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Converts bytes to the byte alphabet. */
    static String byteLetters(byte[] bytes) {
        StringBuilder letters = new StringBuilder();
        for (byte signed : bytes) {
            int value = signed & 0xff;
            int hidden = 0;
            for (int b = 0; b < value; b++) {
                hidden += isPrintable(b) ? 0 : 1;
            }
            letters.append((char) (isPrintable(value) ? value : 0x100 + hidden));
        }
        return letters.toString();
    }

    private void storedMerges(ObjectNode bpe) {
        ArrayNode merges = bpe.putArray("merges");
        for (String merge : gguf.list("merges", String.class)) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw new MalformedFileException(gguf.source() + ": merge '" + merge
                        + "' must be two pieces with a space between; download the file again");
            }
            merges.addArray().add(merge.substring(0, space)).add(merge.substring(space + 1));
        }
    }

    /** Model {@code llama}: merges by score, with a space added before the text. */
    void sentencePiece() {
        boolean prefixed = gguf.flag("add_space_prefix", true);
        ArrayNode normalizers =
                root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        if (prefixed) {
            normalizers.addObject().put("type", "Prepend").put("prepend", GgufTokenizer.SPACE);
        }
        replace(normalizers.addObject(), " ", GgufTokenizer.SPACE);
        ArrayNode decoders = fallbackDecoders();
        if (prefixed) {
            decoders.addObject()
                    .put("type", "Strip")
                    .put("content", " ")
                    .put("start", 1)
                    .put("stop", 0);
        }
        around(true, false);
        mergesByScore(fallbackModel().putArray("merges"));
    }

    /** Model {@code gemma4}: stored merges on the text as it is, split at line ends. */
    void wholeText() {
        replace(root.putObject("normalizer"), " ", GgufTokenizer.SPACE);
        ObjectNode split = root.putObject("pre_tokenizer").put("type", "Split");
        split.putObject("pattern").put("Regex", "[^\\n]+|[\\n]+");
        split.put("behavior", "Isolated").put("invert", false);
        fallbackDecoders();
        around(true, false);
        storedMerges(fallbackModel());
    }

    /** Model {@code whitespace}: merges on the letters of words, which are separated by whitespace. */
    void whitespace() {
        root.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
        around(false, false);
        ObjectNode bpe = root.putObject("model").put("type", "BPE").put("ignore_merges", false);
        if (gguf.unknown() >= 0) {
            bpe.put("unk_token", gguf.tokens().get(gguf.unknown()));
        }
        gguf.vocabulary(bpe);
        storedMerges(bpe);
    }

    private ArrayNode fallbackDecoders() {
        ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
        replace(decoders.addObject(), GgufTokenizer.SPACE, " ");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        return decoders;
    }

    private ObjectNode fallbackModel() {
        ObjectNode bpe = root.putObject("model")
                .put("type", "BPE")
                .put("fuse_unk", true)
                .put("byte_fallback", true)
                .put("ignore_merges", false);
        if (gguf.unknown() >= 0) {
            bpe.put("unk_token", gguf.tokens().get(gguf.unknown()));
        }
        gguf.vocabulary(bpe);
        return bpe;
    }

    private static void replace(ObjectNode node, String from, String to) {
        node.put("type", "Replace").put("content", to).putObject("pattern").put("String", from);
    }

    private void around(boolean bosByDefault, boolean separatorByDefault) {
        List<String> behind = new ArrayList<>();
        if (gguf.flag("add_eos_token", false)) {
            behind.add("eos_token_id");
        }
        if (gguf.flag("add_sep_token", separatorByDefault)) {
            behind.add("seperator_token_id"); // the spelling in the format
        }
        gguf.around(gguf.flag("add_bos_token", bosByDefault) ? List.of("bos_token_id") : List.of(), behind);
    }

    private record Merge(String left, String right, float score, int leftId, int rightId) {}

    private void mergesByScore(ArrayNode merges) {
        List<String> tokens = gguf.tokens();
        List<Number> scores = gguf.list("scores", Number.class);
        gguf.requireOnePerToken("scores", scores.size());
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            ids.put(tokens.get(id), id);
        }
        List<Merge> found = new ArrayList<>();
        for (int id = 0; id < tokens.size(); id++) {
            String piece = tokens.get(id);
            if (gguf.type(id) == GgufTokenizer.NORMAL && piece.length() <= MAX_PIECE) {
                splits(piece, scores.get(id).floatValue(), ids, found);
            }
        }
        found.sort(Comparator.comparingDouble(Merge::score)
                .reversed()
                .thenComparingInt(Merge::leftId)
                .thenComparingInt(Merge::rightId));
        found.forEach(merge -> merges.addArray().add(merge.left()).add(merge.right()));
    }

    private static void splits(String piece, float score, Map<String, Integer> ids, List<Merge> found) {
        for (int cut = piece.offsetByCodePoints(0, 1); cut < piece.length(); cut = piece.offsetByCodePoints(cut, 1)) {
            String left = piece.substring(0, cut);
            String right = piece.substring(cut);
            if (ids.containsKey(left) && ids.containsKey(right)) {
                found.add(new Merge(left, right, score, ids.get(left), ids.get(right)));
            }
        }
    }
}
