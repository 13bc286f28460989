package dev.pollux.retrieval;

import java.util.List;

/** Scores texts against a query, more exactly and more slowly than a {@link Retriever}. <em>Thread-safe.</em> */
@FunctionalInterface
public interface Reranker {

    /**
     * One score a text, in the order of {@code texts}; higher is better.
     *
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end, which it stays
     */
    float[] score(String query, List<String> texts); // (texts)
}
