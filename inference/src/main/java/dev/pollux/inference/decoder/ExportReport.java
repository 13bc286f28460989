package dev.pollux.inference.decoder;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an export did. <em>Immutable.</em>
 *
 * @param bytes bytes of weights written
 * @param matrices how many matrices went from which form to which, such as {@code "Q4_1 to 8 bits" → 210}
 * @param notices what the reader should know, such as a loss
 * @param step what one token costs
 * @param elapsed how long it took
 */
public record ExportReport(
        long bytes, Map<String, Integer> matrices, List<String> notices, StepCost step, Duration elapsed) {

    /**
     * What a token costs, which bounds how fast it can be.
     *
     * @param bytes bytes of matrices that are read for it; of experts, those it has on average
     * @param weights how many weights every token of a prompt is multiplied with: these without the head, which only the last
     *     needs
     * @param cacheBytes by how much the cache grows
     * @param stateBytes bytes of states that do not grow
     */
    public record StepCost(long bytes, long weights, long cacheBytes, long stateBytes) {}

    public ExportReport {
        matrices = Collections.unmodifiableMap(new TreeMap<>(matrices));
        notices = List.copyOf(notices);
    }
}
