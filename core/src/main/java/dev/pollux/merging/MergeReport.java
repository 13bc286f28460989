package dev.pollux.merging;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a merge did. <em>Immutable.</em>
 *
 * @param folder the merged model
 * @param tensors by name
 * @param bytesWritten of weights
 * @param resumedTensors how many an earlier, interrupted run had finished
 * @param seed of the random numbers
 * @param notices what the plan's check found that did not stop the merge
 */
public record MergeReport(
        Path folder,
        List<MergedTensor> tensors,
        long bytesWritten,
        int resumedTensors,
        long seed,
        List<String> notices,
        Duration elapsed) {

    public MergeReport {
        tensors = List.copyOf(tensors);
        notices = List.copyOf(notices);
    }

    /**
     * What one tensor got. <em>Immutable.</em>
     *
     * @param method with its parameters for this tensor
     * @param facts what the method saw, such as {@code branch} → {@code lerp}
     */
    public record MergedTensor(String name, String method, List<String> sources, Map<String, String> facts) {

        public MergedTensor {
            sources = List.copyOf(sources);
            facts = Collections.unmodifiableMap(new TreeMap<>(facts));
        }
    }
}
