/** Runs a decoder layer by layer, with the weights of one layer in memory. */
@NullMarked
package dev.pollux.inference.internal.layerwise;

import org.jspecify.annotations.NullMarked;
