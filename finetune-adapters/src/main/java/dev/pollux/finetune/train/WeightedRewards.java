package dev.pollux.finetune.train;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A weighted sum of rewards, which remembers the mean of each. <em>Confined to one thread.</em> */
final class WeightedRewards implements RewardFunction {

    private final Map<String, RewardFunction> rewards;
    private final Map<String, Double> weights;
    private final Map<String, Double> means = new LinkedHashMap<>();

    WeightedRewards(Map<String, RewardFunction> rewards, Map<String, Double> weights) {
        this.rewards = new LinkedHashMap<>(rewards);
        this.weights = Map.copyOf(weights);
        if (rewards.isEmpty()) {
            throw new IllegalArgumentException("rewards must have at least one function but was empty");
        }
        weights.forEach((name, weight) -> {
            if (!rewards.containsKey(name) || !Double.isFinite(weight)) {
                throw new IllegalArgumentException("A weight must be finite and belong to one of " + rewards.keySet()
                        + " but was " + weight + " of " + name);
            }
        });
    }

    @Override
    public double[] rewards(List<Rollout> completions) {
        double[] sum = new double[completions.size()];
        rewards.forEach((name, reward) -> {
            double[] own = reward.rewards(completions);
            if (own.length != sum.length) {
                throw new IllegalArgumentException("The reward " + name + " must return a number for each of "
                        + sum.length + " completions but returned " + own.length);
            }
            for (int i = 0; i < sum.length; i++) {
                sum[i] += weights.getOrDefault(name, 1.0) * own[i];
            }
            means.put(name, Arrays.stream(own).average().orElse(0));
        });
        return sum;
    }

    /** Whether rows must have answers. */
    boolean needsAnswers() {
        return rewards.values().stream().anyMatch(AnswerReward.class::isInstance);
    }

    /** The mean of each over the completions of the last call, not weighted. */
    Map<String, Double> means() {
        return means;
    }
}
