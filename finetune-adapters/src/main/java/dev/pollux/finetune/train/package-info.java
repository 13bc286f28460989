/** Training of LoRA adapters: supervised fine-tuning and preference alignment. */
@NullMarked
package dev.pollux.finetune.train;

import org.jspecify.annotations.NullMarked;
