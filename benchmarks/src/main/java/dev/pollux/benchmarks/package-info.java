/** Whole-program comparisons with other libraries, each a {@code main}. */
@NullMarked
package dev.pollux.benchmarks;

import org.jspecify.annotations.NullMarked;
