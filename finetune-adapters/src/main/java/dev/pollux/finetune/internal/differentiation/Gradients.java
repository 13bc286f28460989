package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Value;
import java.util.Map;
import java.util.Objects;

/**
 * A graph with the gradients of some of its values. <em>Immutable.</em>
 *
 * @param graph the nodes of the forward graph and those of the gradients, with its inputs and those of the seeds, without
 *     outputs
 * @param of the gradients by the names of the values; a value on which no seeded one depends has none
 */
public record Gradients(Graph graph, Map<String, Value> of) {

    public Gradients {
        of = Map.copyOf(of);
    }

    /**
     * The gradient of a value.
     *
     * @throws IllegalArgumentException if it has none
     */
    public Value of(String value) {
        if (!of.containsKey(value)) {
            throw new IllegalArgumentException("no seeded value depends on " + value);
        }
        return Objects.requireNonNull(of.get(value));
    }
}
