/** Quantization: a model with smaller weights, and a report of the loss. */
@NullMarked
package dev.pollux.quantization;

import org.jspecify.annotations.NullMarked;
