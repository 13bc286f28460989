/** Exports decoder-only language models as ONNX graphs, each described by a manifest. */
@NullMarked
package dev.pollux.inference.decoder;

import org.jspecify.annotations.NullMarked;
