/** Text generation: prompts, options, pulled streams and results. */
@NullMarked
package dev.pollux.generation;

import org.jspecify.annotations.NullMarked;
