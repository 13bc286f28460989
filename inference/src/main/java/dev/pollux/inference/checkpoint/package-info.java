/** Published checkpoints behind one interface: configuration, tensors, tokenizer, chat template. */
@NullMarked
package dev.pollux.inference.checkpoint;

import org.jspecify.annotations.NullMarked;
