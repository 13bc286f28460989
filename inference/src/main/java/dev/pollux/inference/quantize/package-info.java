/** Quantization of ONNX models and checkpoints. */
@NullMarked
package dev.pollux.inference.quantize;

import org.jspecify.annotations.NullMarked;
