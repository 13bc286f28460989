package dev.pollux.inference.encoder.export;

import java.time.Duration;

/**
 * What an export did. <em>Immutable.</em>
 *
 * @param architecture as {@code config.json} names it
 * @param output the graph's output: {@code last_hidden_state} (batch, tokens, width) or {@code logits} (batch, labels)
 * @param tensors how many tensors of the checkpoint were used
 * @param bytes bytes of weights written
 * @param elapsed how long it took
 */
public record EncoderReport(String architecture, String output, int tensors, long bytes, Duration elapsed) {}
