/** Decoder-only language models as ONNX graphs: a file a family, one export, one manifest. */
@NullMarked
package dev.pollux.inference.decoder;

import org.jspecify.annotations.NullMarked;
