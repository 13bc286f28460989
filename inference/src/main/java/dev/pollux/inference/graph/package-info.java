/** Writing ONNX graphs: nodes and small constants as protobuf messages, weights straight into the external data file. */
@NullMarked
package dev.pollux.inference.graph;

import org.jspecify.annotations.NullMarked;
