/** Tensor files: safetensors and GGUF, memory-mapped, read lazily, with headers validated on opening. */
@NullMarked
package dev.pollux.tensor;

import org.jspecify.annotations.NullMarked;
