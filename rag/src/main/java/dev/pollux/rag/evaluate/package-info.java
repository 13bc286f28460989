/** Evaluation of retrieval on collections with relevance judgements. */
@NullMarked
package dev.pollux.rag.evaluate;

import org.jspecify.annotations.NullMarked;
