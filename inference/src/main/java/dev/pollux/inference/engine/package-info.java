/**
 * Running exported decoders: {@link dev.pollux.inference.engine.OnnxGenerator} writes text,
 * {@link dev.pollux.inference.engine.DecoderModel} and {@link dev.pollux.inference.engine.DecoderSequence} are the steps
 * below it.
 */
@NullMarked
package dev.pollux.inference.engine;

import org.jspecify.annotations.NullMarked;
