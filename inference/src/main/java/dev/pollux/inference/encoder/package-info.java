/**
 * Texts as vectors with an ONNX encoder in this process: {@link dev.pollux.inference.encoder.OnnxEmbedder}, set up by
 * {@link dev.pollux.inference.encoder.EmbedderOptions}.
 */
@NullMarked
package dev.pollux.inference.encoder;

import org.jspecify.annotations.NullMarked;
