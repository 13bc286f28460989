package dev.pollux.finetune.train;

import dev.pollux.generation.Prompt;

/**
 * A completion that the model in training wrote. <em>Immutable.</em>
 *
 * @param row the number of the row of its prompt, from 1
 * @param prompt what the model read
 * @param completion the text, without the end token
 * @param tokens the number of tokens, with the end token
 * @param isComplete whether the model ended it, before the largest number of tokens was reached
 */
public record Rollout(long row, Prompt prompt, String completion, int tokens, boolean isComplete) {}
