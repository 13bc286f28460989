/** Documents cut into passages that an embedding model can read whole. */
@NullMarked
package dev.pollux.rag.chunk;

import org.jspecify.annotations.NullMarked;
