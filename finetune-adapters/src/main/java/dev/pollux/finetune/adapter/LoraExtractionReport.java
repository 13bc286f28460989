package dev.pollux.finetune.adapter;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The result of {@link LoraExtraction}. <em>Immutable.</em>
 *
 * @param folder the folder of the adapter
 * @param matrices the factored matrices, sorted by name; those of rank 0 are not part of the adapter
 * @param whole the tensors stored unchanged from the fine-tuned model
 * @param left the tensors left out
 * @param relativeError ‖difference − adapter‖ / ‖difference‖ over all factored matrices, in [0, 1]
 * @param bytesWritten bytes of weights
 */
public record LoraExtractionReport(
        Path folder,
        List<Matrix> matrices,
        List<String> whole,
        List<String> left,
        double relativeError,
        long bytesWritten,
        Duration elapsed) {

    public LoraExtractionReport {
        matrices = List.copyOf(matrices);
        whole = List.copyOf(whole);
        left = List.copyOf(left);
    }

    /**
     * A factored matrix. <em>Immutable.</em>
     *
     * @param module such as {@code model.layers.0.self_attn.q_proj}
     * @param rank the number of singular values kept
     * @param norm the Frobenius norm of the difference
     * @param relativeError ‖difference − B·A‖ / ‖difference‖, the minimum for this rank; 0 if the difference is 0
     * @param singularValues (rank), descending
     */
    public record Matrix(String module, int rank, double norm, double relativeError, List<Double> singularValues) {
        public Matrix {
            singularValues = List.copyOf(singularValues);
        }
    }
}
