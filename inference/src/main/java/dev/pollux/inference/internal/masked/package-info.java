/** Graphs over whole texts in batches, with masks: operators, and the lowering of every architecture. */
@NullMarked
package dev.pollux.inference.internal.masked;

import org.jspecify.annotations.NullMarked;
