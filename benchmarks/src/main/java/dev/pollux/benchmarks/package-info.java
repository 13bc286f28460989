/** Whole-program measurements. */
@NullMarked
package dev.pollux.benchmarks;

import org.jspecify.annotations.NullMarked;
