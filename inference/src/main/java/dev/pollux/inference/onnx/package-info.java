/** Published ONNX decoders in folders of ONNX Runtime GenAI or Optimum, and the engine's description of graphs. */
@NullMarked
package dev.pollux.inference.onnx;

import org.jspecify.annotations.NullMarked;
