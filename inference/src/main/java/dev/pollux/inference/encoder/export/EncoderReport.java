package dev.pollux.inference.encoder.export;

import java.time.Duration;

/**
 * The result of an export. <em>Immutable.</em>
 *
 * @param architecture the name in {@code config.json}
 * @param output the graph's output: {@code last_hidden_state} (batch, tokens, width) or {@code logits} (batch, labels)
 * @param tensors the number of the checkpoint's tensors used
 * @param bytes bytes of weights written
 * @param elapsed the elapsed time
 */
public record EncoderReport(String architecture, String output, int tensors, long bytes, Duration elapsed) {}
