/** Texts as vectors. */
@NullMarked
package dev.pollux.embedding;

import org.jspecify.annotations.NullMarked;
