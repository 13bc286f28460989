/** Formats of weights in blocks: codes with one scale a block. */
@NullMarked
package dev.pollux.inference.quantize;

import org.jspecify.annotations.NullMarked;
