/** Reads, edits and writes ONNX graphs. Weights are streamed into the external data file. */
@NullMarked
package dev.pollux.inference.graph;

import org.jspecify.annotations.NullMarked;
