/**
 * Decorators of a {@link dev.pollux.retrieval.Retriever}: rewording of the question, diversity, recency, context, and rerankers.
 *
 * <p>Decorators apply from the inside out. The order that works, innermost first, is that of the {@link
 * dev.pollux.rag.search.SearchPipeline}: retrieve, several wordings, filter from the question, boosts, rerank, diversify, expand.
 */
@NullMarked
package dev.pollux.rag.search;

import org.jspecify.annotations.NullMarked;
