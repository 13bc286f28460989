/** Checkpoints as the world publishes them, seen as one thing: configuration, tensors, tokenizer, chat template. */
@NullMarked
package dev.pollux.inference.checkpoint;

import org.jspecify.annotations.NullMarked;
