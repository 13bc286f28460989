/**
 * Encoders in this process: texts as vectors, {@link dev.pollux.inference.encoder.OnnxEmbedder}, and scores of texts for a
 * query, {@link dev.pollux.inference.encoder.OnnxReranker}.
 */
@NullMarked
package dev.pollux.inference.encoder;

import org.jspecify.annotations.NullMarked;
