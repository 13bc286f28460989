package dev.pollux.merge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What {@link LoraExtraction} did. <em>Immutable.</em>
 *
 * @param folder the adapter
 * @param matrices that were factored, in the order of their names; one of rank 0 has no part in the adapter
 * @param whole tensors that were stored as they are in the fine-tuned model
 * @param left tensors that were left out
 * @param relativeError ‖difference − adapter‖ / ‖difference‖ over all factored matrices, in [0, 1]
 * @param bytesWritten of weights
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
     * @param rank how many singular values were kept
     * @param norm Frobenius norm of the difference
     * @param relativeError ‖difference − B·A‖ / ‖difference‖, the least that the rank allows; 0 where nothing differs
     * @param singularValues (rank), descending
     */
    public record Matrix(String module, int rank, double norm, double relativeError, List<Double> singularValues) {
        public Matrix {
            singularValues = List.copyOf(singularValues);
        }
    }
}
