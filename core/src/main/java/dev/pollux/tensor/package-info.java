/** Tensor files: safetensors and GGUF, memory-mapped, lazily read, checked before anything is trusted. */
@NullMarked
package dev.pollux.tensor;

import org.jspecify.annotations.NullMarked;
