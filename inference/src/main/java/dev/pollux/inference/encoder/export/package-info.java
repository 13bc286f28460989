/**
 * Encoder checkpoints as ONNX graphs: {@link dev.pollux.inference.encoder.export.EncoderExport}. A family is one class over
 * shared blocks, and one line in {@code Families}.
 */
@NullMarked
package dev.pollux.inference.encoder.export;

import org.jspecify.annotations.NullMarked;
