package dev.pollux.finetune.adapter;

import java.util.List;

/**
 * The predicted result of {@link LoraExtraction}. <em>Immutable.</em>
 *
 * @param matrices the matrices to factor, sorted by name
 * @param whole the tensors to store unchanged from the fine-tuned model
 * @param left the tensors that differ, or may differ, and would be left out
 * @param mostBytes maximum bytes of the adapter's weights, reached if every matrix has its maximum rank
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
     * @param mostRank min(requested rank, rows, columns)
     */
    public record Matrix(String module, long rows, long columns, int mostRank) {}
}
