/** Merging models: what is to be merged, what will come of it, and what came of it. */
@NullMarked
package dev.pollux.merging;

import org.jspecify.annotations.NullMarked;
