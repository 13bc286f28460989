package dev.pollux.finetune.train;

import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;

/** Reward functions for {@link Objective#grpo}. <em>Thread-safe, and so are the functions but those of {@link #weighted}.</em> */
public final class Rewards {

    private Rewards() {}

    /** 1 where the pattern is found in a completion, else 0. */
    public static RewardFunction matching(Pattern pattern) {
        return each(one -> pattern.matcher(one.completion()).find() ? 1 : 0);
    }

    /**
     * 1 where a completion contains one of the answers of its row by whole words, as SQuAD compares them (see {@link dev.pollux.finetune.evaluate.AnswerScore}), else
     * 0. A row has {@code answers}; of a question that its passage does not answer, the answer is "not in the sources".
     *
     * <p>Training refuses rows without answers before the first step.
     */
    public static RewardFunction containingAnAnswer() {
        return new AnswerReward();
    }

    /**
     * 1 for a completion that ends within a length, falling to 0 at twice the length; 0 for one that does not end.
     *
     * @param tokens the length, at least 1
     */
    public static RewardFunction within(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("tokens must be at least 1 but was " + tokens);
        }
        return each(one -> one.isComplete() ? Math.max(0, Math.min(1, 2 - (double) one.tokens() / tokens)) : 0);
    }

    /**
     * The sum of rewards, each times a weight. The mean of each is reported as {@code rewards/NAME/mean}. The function is for one run:
     * <em>not thread-safe, one thread at a time</em>.
     *
     * @param rewards by name, at least one
     * @param weights by the same names; 1 where a name is absent
     * @throws IllegalArgumentException if there are no rewards, or a weight is not finite or of no reward
     */
    public static RewardFunction weighted(Map<String, RewardFunction> rewards, Map<String, Double> weights) {
        return new WeightedRewards(rewards, weights);
    }

    private static RewardFunction each(ToDoubleFunction<Rollout> reward) {
        return rollouts -> rollouts.stream().mapToDouble(reward).toArray();
    }
}
