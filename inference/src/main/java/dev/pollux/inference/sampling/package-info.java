/** Choice of the next token, and detection of stop strings. */
@NullMarked
package dev.pollux.inference.sampling;

import org.jspecify.annotations.NullMarked;
