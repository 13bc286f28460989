/** Embedders for models of other frameworks; not an API. */
@NullMarked
package dev.pollux.internal.embedding;

import org.jspecify.annotations.NullMarked;
