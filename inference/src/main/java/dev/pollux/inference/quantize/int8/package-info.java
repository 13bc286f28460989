/** Quantization to 8-bit integers: weights, calibrated activations, and the graphs that compute with them. For this module alone. */
@NullMarked
package dev.pollux.inference.quantize.int8;

import org.jspecify.annotations.NullMarked;
