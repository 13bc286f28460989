package dev.pollux.merge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What {@link GramCollection} did, or would do. <em>Immutable.</em>
 *
 * @param file what it writes
 * @param matrices of the model that get a Gram matrix of their inputs
 * @param left matrices in layers that get none: wider than 8,192 inputs, or the engine does not multiply with them as they are
 *     stored, as with experts and with matrices stored turned or joined
 * @param tokens that are read
 * @param passes how often they are
 * @param bytes of the Gram matrices in the file
 * @param elapsed how long it took
 */
public record GramReport(
        Path file, List<String> matrices, List<String> left, int tokens, int passes, long bytes, Duration elapsed) {
    public GramReport {
        matrices = List.copyOf(matrices);
        left = List.copyOf(left);
    }

    /** The same when it is done. */
    GramReport after(Duration time) {
        return new GramReport(file, matrices, left, tokens, passes, bytes, time);
    }
}
