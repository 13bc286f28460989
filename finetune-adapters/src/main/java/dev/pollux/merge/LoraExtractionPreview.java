package dev.pollux.merge;

import java.util.List;

/**
 * What {@link LoraExtraction} would do. <em>Immutable.</em>
 *
 * @param matrices that would be factored, in the order of their names
 * @param whole tensors that would be stored as they are in the fine-tuned model
 * @param left tensors that differ or may differ and would be left out
 * @param mostBytes of the adapter's weights, reached if every matrix takes the whole rank
 */
public record LoraExtractionPreview(List<Matrix> matrices, List<String> whole, List<String> left, long mostBytes) {

    public LoraExtractionPreview {
        matrices = List.copyOf(matrices);
        whole = List.copyOf(whole);
        left = List.copyOf(left);
    }

    /**
     * A matrix to factor. <em>Immutable.</em>
     *
     * @param module such as {@code model.layers.0.self_attn.q_proj}
     * @param mostRank the rank asked for, or the shorter side
     */
    public record Matrix(String module, long rows, long columns, int mostRank) {}
}
