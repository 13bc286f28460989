/**
 * Encoders in this process. {@link dev.pollux.inference.encoder.OnnxEmbedder} embeds texts; {@link
 * dev.pollux.inference.encoder.OnnxReranker} scores texts for a query.
 */
@NullMarked
package dev.pollux.inference.encoder;

import org.jspecify.annotations.NullMarked;
