package dev.pollux.tensor;

import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The name of a layer's tensor: {@code prefix + layer + suffix}, such as {@code model.layers.} 3 {@code
 * .mlp.up_proj.weight}. The first number in a name is the layer.
 */
public record LayerName(String prefix, int layer, String suffix) {

    private static final Set<String> EMBEDDINGS =
            Set.of("embed_tokens", "wte", "word_embeddings", "tok_embeddings", "embed_in");
    private static final Set<String> HEADS = Set.of("lm_head", "embed_out", "output");

    private static final Set<String> BUFFERS = Set.of(
            "inv_freq",
            ".cos_cached",
            ".sin_cached",
            ".position_ids",
            ".masked_bias",
            ".causal_mask",
            ".embed_positions._float_tensor");

    private static final String WEIGHT = ".weight";
    private static final int MAX_DIGITS = 6;
    private static final int MAX_NAME = 1000;

    /** Parses the name of a tensor; empty if it is not part of a layer. */
    public static Optional<LayerName> parse(String tensor) {
        if (tensor.length() > MAX_NAME) {
            return Optional.empty();
        }
        int from = 0;
        for (int to = tensor.indexOf('.'); to > from && to < tensor.length() - 1; to = tensor.indexOf('.', from)) {
            if (isNumber(tensor, from, to)) {
                int layer = Integer.parseInt(tensor, from, to, 10);
                return Optional.of(new LayerName(tensor.substring(0, from), layer, tensor.substring(to)));
            }
            from = to + 1;
        }
        return Optional.empty();
    }

    private static boolean isNumber(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return to - from <= MAX_DIGITS;
    }

    /** The prefix that most tensors share; other numbered tensors count as outside the layers. */
    public static Optional<String> commonPrefix(Set<String> tensors) {
        Map<String, Integer> counts = new TreeMap<>();
        tensors.forEach(tensor -> parse(tensor).ifPresent(name -> counts.merge(name.prefix(), 1, Integer::sum)));
        return counts.entrySet().stream()
                .max(Comparator.comparingInt(Map.Entry<String, Integer>::getValue)
                        .thenComparing(
                                Map.Entry.<String, Integer>comparingByKey().reversed()))
                .map(Map.Entry::getKey);
    }

    /** Whether a tensor is an embedding of tokens. */
    public static boolean isEmbedding(String tensor) {
        return isWeightOf(tensor, EMBEDDINGS);
    }

    /** The matrix to the vocabulary. */
    public static boolean isHead(String tensor) {
        return isWeightOf(tensor, HEADS);
    }

    private static boolean isWeightOf(String tensor, Set<String> modules) {
        int end = tensor.length() - WEIGHT.length();
        return tensor.endsWith(WEIGHT) && modules.contains(tensor.substring(tensor.lastIndexOf('.', end - 1) + 1, end));
    }

    /** Whether a tensor outside the layers is applied before them. */
    public static boolean isBeforeLayers(String tensor) {
        return tensor.contains("embed") && !isHead(tensor) || tensor.contains("wte.") || tensor.contains("wpe.");
    }

    /**
     * Whether a tensor is a computed buffer that current versions of transformers neither write nor read: frequencies and
     * tables of rotary positions, position ids, causal masks. GPT-2 and GPT-NeoX name a mask {@code bias}; a mask is a
     * matrix, a layer's bias is not.
     */
    public static boolean isObsolete(TensorInfo tensor) {
        String name = "." + tensor.name();
        boolean flags = tensor.type() == DType.BOOL || tensor.type() == DType.U8;
        boolean mask = name.endsWith("attn.bias") || name.endsWith("attention.bias");
        return BUFFERS.stream().anyMatch(name::endsWith)
                || mask && (flags || tensor.shape().size() > 2);
    }
}
