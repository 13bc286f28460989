/** Ready-made ONNX decoders: folders of ONNX Runtime GenAI and of Optimum, and graphs as the engine runs them. */
@NullMarked
package dev.pollux.inference.onnx;

import org.jspecify.annotations.NullMarked;
