package dev.pollux.finetune.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The result of {@link FisherCollection}. <em>Immutable.</em>
 *
 * @param file the file written
 * @param tensors the tensors with gradients
 * @param left the other tensors, whose diagonal is 0: norms, embeddings, and matrices that are not stored as they are
 *     multiplied; a merge gives them the mean
 * @param examples the number of examples
 * @param tokens their predicted tokens
 * @param passes over the examples
 * @param elapsed the duration
 */
public record FisherReport(
        Path file, List<String> tensors, List<String> left, int examples, long tokens, int passes, Duration elapsed) {

    public FisherReport {
        tensors = List.copyOf(tensors);
        left = List.copyOf(left);
    }
}
