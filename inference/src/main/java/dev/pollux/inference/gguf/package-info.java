/** GGUF output: checkpoints as files for llama.cpp. */
@NullMarked
package dev.pollux.inference.gguf;

import org.jspecify.annotations.NullMarked;
