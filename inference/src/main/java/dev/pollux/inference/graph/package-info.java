/** ONNX graphs: written, with weights straight into the external data file, read in outline, and edited. */
@NullMarked
package dev.pollux.inference.graph;

import org.jspecify.annotations.NullMarked;
