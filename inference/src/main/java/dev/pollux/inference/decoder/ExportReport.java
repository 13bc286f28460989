package dev.pollux.inference.decoder;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What an export did. <em>Immutable.</em>
 *
 * @param bytes bytes of weights written
 * @param matrices how many matrices went from which form to which, such as {@code "Q4_1 to 8 bits" → 210}
 * @param notices what the reader should know, such as a loss
 * @param elapsed how long it took
 */
public record ExportReport(long bytes, Map<String, Integer> matrices, List<String> notices, Duration elapsed) {

    public ExportReport {
        matrices = Map.copyOf(matrices);
        notices = List.copyOf(notices);
    }
}
