package dev.pollux.inference.decoder;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The result of an export. <em>Immutable.</em>
 *
 * @param bytes bytes of weights written
 * @param matrices the number of matrices for each conversion, such as {@code "Q4_1 to 8 bits" → 210}
 * @param notices notices for the user, such as a loss of precision
 * @param step the cost of one token
 * @param elapsed the elapsed time
 */
public record ExportReport(
        long bytes, Map<String, Integer> matrices, List<String> notices, StepCost step, Duration elapsed) {

    /**
     * The cost of a token, which bounds the speed.
     *
     * @param bytes the bytes of matrices read for a token; of experts, the average of the active ones
     * @param weights the number of weights multiplied with each token of a prompt: the same matrices without the head,
     *     which only the last token needs
     * @param cacheBytes the growth of the cache
     * @param stateBytes the bytes of states of fixed size
     */
    public record StepCost(long bytes, long weights, long cacheBytes, long stateBytes) {}

    public ExportReport {
        matrices = Collections.unmodifiableMap(new TreeMap<>(matrices));
        notices = List.copyOf(notices);
    }
}
