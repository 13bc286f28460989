package dev.pollux.finetune.train;

import java.util.List;

/** Rates what a model wrote. */
@FunctionalInterface
public interface RewardFunction {

    /**
     * The reward of each completion; the higher, the better. Called on the thread of the job, once a micro-batch.
     *
     * @param completions all completions of some prompts, those of a prompt next to each other
     * @return a finite number for each, in the same order
     */
    double[] rewards(List<Rollout> completions);
}
