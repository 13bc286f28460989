/** Stored LoRA adapters in the formats of PEFT and GGUF. */
@NullMarked
package dev.pollux.inference.adapter;

import org.jspecify.annotations.NullMarked;
