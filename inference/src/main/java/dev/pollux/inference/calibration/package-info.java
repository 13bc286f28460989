/** Measurements of a model over texts: Gram matrices of the inputs of its matrices, and perplexity. */
@NullMarked
package dev.pollux.inference.calibration;

import org.jspecify.annotations.NullMarked;
