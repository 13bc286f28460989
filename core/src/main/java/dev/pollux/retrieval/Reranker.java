package dev.pollux.retrieval;

import java.util.List;

/** Scores texts against a query, more exactly and more slowly than a {@link Retriever}. <em>Thread-safe.</em> */
@FunctionalInterface
public interface Reranker {

    /**
     * Returns one score per text, in the order of {@code texts}; higher is better.
     *
     * @throws dev.pollux.CancelledException if the thread is interrupted before the end; the interrupt status stays set
     */
    float[] score(String query, List<String> texts); // (texts)
}
