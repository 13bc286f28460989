/** Block formats of weights: codes with one scale per block. */
@NullMarked
package dev.pollux.inference.internal.block;

import org.jspecify.annotations.NullMarked;
