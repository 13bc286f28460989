/** Block formats of weights: codes with one scale per block. */
@NullMarked
package dev.pollux.inference.quantize;

import org.jspecify.annotations.NullMarked;
