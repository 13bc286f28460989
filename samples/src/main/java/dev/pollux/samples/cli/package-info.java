/** The {@code pollux} command line. */
@NullMarked
package dev.pollux.samples.cli;

import org.jspecify.annotations.NullMarked;
