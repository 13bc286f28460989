/** Splits documents into passages that fit an embedding model. */
@NullMarked
package dev.pollux.rag.chunk;

import org.jspecify.annotations.NullMarked;
