/** The inputs of one step of a decoder. */
@NullMarked
package dev.pollux.inference.internal.step;

import org.jspecify.annotations.NullMarked;
