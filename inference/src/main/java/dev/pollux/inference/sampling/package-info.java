/** Choosing the next token, and stopping at stop strings. */
@NullMarked
package dev.pollux.inference.sampling;

import org.jspecify.annotations.NullMarked;
