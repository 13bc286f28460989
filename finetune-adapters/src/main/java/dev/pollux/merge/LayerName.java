package dev.pollux.merge;

import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tensor of a layer: {@code prefix + layer + suffix}, such as {@code model.layers.} 3 {@code .mlp.up_proj.weight}. The
 * first number in a name is the layer.
 */
record LayerName(String prefix, int layer, String suffix) {

    private static final Pattern NAME = Pattern.compile("((?:[^.]+\\.)*?)([0-9]{1,6})(\\..+)");

    private static final int MAX_NAME = 1000;

    static Optional<LayerName> parse(String tensor) {
        if (tensor.length() > MAX_NAME) {
            return Optional.empty();
        }
        Matcher matcher = NAME.matcher(tensor);
        return matcher.matches()
                ? Optional.of(new LayerName(matcher.group(1), Integer.parseInt(matcher.group(2)), matcher.group(3)))
                : Optional.empty();
    }

    /** The prefix that most tensors share; other numbered tensors count as outside the layers. */
    static Optional<String> commonPrefix(Set<String> tensors) {
        Map<String, Integer> counts = new TreeMap<>();
        tensors.forEach(tensor -> parse(tensor).ifPresent(name -> counts.merge(name.prefix(), 1, Integer::sum)));
        return counts.entrySet().stream()
                .max(Comparator.comparingInt(Map.Entry<String, Integer>::getValue)
                        .thenComparing(
                                Map.Entry.<String, Integer>comparingByKey().reversed()))
                .map(Map.Entry::getKey);
    }

    static boolean isEmbedding(String tensor) {
        return tensor.matches("(?:.*\\.)?(?:embed_tokens|wte|word_embeddings|tok_embeddings|embed_in)\\.weight");
    }

    /** The matrix to the vocabulary. */
    static boolean isHead(String tensor) {
        return tensor.matches("(?:.*\\.)?(?:lm_head|embed_out|output)\\.weight");
    }

    /** Whether a tensor outside the layers stands before them. */
    static boolean isBeforeLayers(String tensor) {
        return tensor.contains("embed") && !isHead(tensor) || tensor.contains("wte.") || tensor.contains("wpe.");
    }

    /** A buffer of old checkpoints that models calculate themselves. */
    static boolean isObsolete(String tensor) {
        return tensor.endsWith(".rotary_emb.inv_freq");
    }
}
