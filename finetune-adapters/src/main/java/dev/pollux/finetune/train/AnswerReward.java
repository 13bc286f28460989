package dev.pollux.finetune.train;

import dev.pollux.finetune.evaluate.AnswerScore;
import java.util.List;

/** 1 where a completion contains one of the answers of its row. <em>Stateless, thread-safe.</em> */
final class AnswerReward implements RewardFunction {

    @Override
    public double[] rewards(List<Rollout> completions) {
        return completions.stream()
                .mapToDouble(one -> {
                    if (one.answers().isEmpty()) {
                        throw new IllegalArgumentException("Row " + one.row()
                                + " must have answers, which completions are compared with; add them, or reward"
                                + " something else");
                    }
                    return AnswerScore.of(one.completion(), one.answers()).contains();
                })
                .toArray();
    }
}
