/** Micro-measurements with JMH, of the loops that whole programs spend their time in; {@code Micro} runs them. */
@NullMarked
package dev.pollux.benchmarks.micro;

import org.jspecify.annotations.NullMarked;
