package dev.pollux.merge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What {@link MixtureMerger} made. <em>Immutable.</em>
 *
 * @param folder the mixture
 * @param architecture its class, such as {@code MixtralForCausalLM}
 * @param experts how many experts a layer has, the shared one not counted
 * @param tensors how many tensors were written
 * @param bytesWritten of weights
 * @param seed of the random numbers
 * @param notices what did not stop the merge
 */
public record MixtureReport(
        Path folder,
        String architecture,
        int experts,
        int tensors,
        long bytesWritten,
        long seed,
        List<String> notices,
        Duration elapsed) {

    public MixtureReport {
        notices = List.copyOf(notices);
    }
}
