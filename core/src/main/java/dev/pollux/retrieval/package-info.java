/** Documents, passages, queries, filters and {@link dev.pollux.retrieval.Retriever}, the function that finds passages. */
@NullMarked
package dev.pollux.retrieval;

import org.jspecify.annotations.NullMarked;
