package dev.pollux.finetune.merge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The result of {@link GramCollection}, or its prediction. <em>Immutable.</em>
 *
 * @param file the file written
 * @param matrices the matrices that get a Gram matrix
 * @param left the matrices in layers that get none: those with more than 8,192 inputs, and those that the engine does not
 *     multiply in their stored layout, such as experts and transposed or joined matrices
 * @param tokens the number of tokens read
 * @param passes the number of passes over the text
 * @param bytes bytes of the Gram matrices in the file
 * @param elapsed the duration
 */
public record GramReport(
        Path file, List<String> matrices, List<String> left, int tokens, int passes, long bytes, Duration elapsed) {
    public GramReport {
        matrices = List.copyOf(matrices);
        left = List.copyOf(left);
    }

    /** Returns this report with the duration. */
    GramReport after(Duration time) {
        return new GramReport(file, matrices, left, tokens, passes, bytes, time);
    }
}
