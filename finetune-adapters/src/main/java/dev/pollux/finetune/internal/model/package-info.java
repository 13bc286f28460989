/** Models as they are read by merging and extraction: folders, GGUF files, ONNX graphs, each with its adapter. */
@NullMarked
package dev.pollux.finetune.internal.model;

import org.jspecify.annotations.NullMarked;
