/** LoRA adapters as they are stored, in the formats of PEFT and of GGUF. */
@NullMarked
package dev.pollux.inference.adapter;

import org.jspecify.annotations.NullMarked;
