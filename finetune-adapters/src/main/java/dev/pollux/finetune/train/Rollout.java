package dev.pollux.finetune.train;

import dev.pollux.generation.Prompt;
import java.util.List;

/**
 * A completion that the model in training wrote. <em>Immutable.</em>
 *
 * @param row the number of the row of its prompt, from 1
 * @param prompt what the model read
 * @param answers those that the row gives as right; empty if it gives none
 * @param completion the text, without the end token
 * @param tokens the number of tokens, with the end token
 * @param isComplete whether the model ended it, before the largest number of tokens was reached
 */
public record Rollout(
        long row, Prompt prompt, List<String> answers, String completion, int tokens, boolean isComplete) {
    public Rollout {
        answers = List.copyOf(answers);
    }
}
