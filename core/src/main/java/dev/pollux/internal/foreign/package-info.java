/** Embedders and generators for models of other frameworks; not an API. */
@NullMarked
package dev.pollux.internal.foreign;

import org.jspecify.annotations.NullMarked;
