/** Numerics: loops over arrays in two forms, linear algebra, random number streams, 16-bit and 8-bit floats; not an API. */
@NullMarked
package dev.pollux.internal.math;

import org.jspecify.annotations.NullMarked;
