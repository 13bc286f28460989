package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.inference.internal.JsonFile;
import java.nio.file.Path;
import java.util.List;

/** A run that was ended and goes on. */
final class ContinuedRun {

    private ContinuedRun() {}

    /** Trains. */
    @FunctionalInterface
    interface Run {

        /**
         * Trains with a checkpoint after each step.
         *
         * @param out the name of the folder of the adapter
         * @param end the step at which the run is cancelled
         */
        List<TrainingStep> train(String out, int end);
    }

    /**
     * Requires that a run that is ended at its third step and continued has the losses and the adapter of one that is not ended, and counts the time
     * of both parts.
     */
    static void requireSameBits(Path folder, Run run) {
        List<TrainingStep> whole = run.train("whole", Integer.MAX_VALUE);
        assertThatThrownBy(() -> run.train("ended", 3)).isInstanceOf(CancelledException.class);
        long before = JsonFile.object(folder.resolve("ended.checkpoints/step-2/state.json"))
                .orElseThrow()
                .path("nanoseconds")
                .asLong();
        List<TrainingStep> rest = run.train("ended", Integer.MAX_VALUE);
        assertThat(rest.get(0).step()).isEqualTo(3);
        assertThat(before).isPositive();
        assertThat(rest.get(0).elapsed().toNanos()).isGreaterThan(before);
        assertThat(rest.stream().map(TrainingStep::loss).toList())
                .isEqualTo(whole.subList(2, whole.size()).stream()
                        .map(TrainingStep::loss)
                        .toList());
        assertThat(folder.resolve("ended/adapter_model.safetensors"))
                .hasSameBinaryContentAs(folder.resolve("whole/adapter_model.safetensors"));
    }
}
