package dev.pollux.finetune.merge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The result of {@link MixtureMerger}. <em>Immutable.</em>
 *
 * @param folder the folder of the mixture
 * @param architecture the class of the mixture, such as {@code MixtralForCausalLM}
 * @param experts the number of experts in a layer, without the shared one
 * @param tensors the number of tensors written
 * @param bytesWritten bytes of weights
 * @param seed the seed of the random numbers
 * @param notices notices that did not prevent the merge
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
