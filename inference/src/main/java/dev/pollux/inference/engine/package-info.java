/**
 * Execution of exported decoders: {@link dev.pollux.inference.engine.OnnxGenerator} generates text;
 * {@link dev.pollux.inference.engine.DecoderModel} and {@link dev.pollux.inference.engine.DecoderSequence} give access to
 * single steps and logits.
 */
@NullMarked
package dev.pollux.inference.engine;

import org.jspecify.annotations.NullMarked;
