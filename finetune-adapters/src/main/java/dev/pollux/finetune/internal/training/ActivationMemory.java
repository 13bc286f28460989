package dev.pollux.finetune.internal.training;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** An estimate of the memory of a backward program that computes its forward pass as well. <em>Immutable.</em> */
final class ActivationMemory {

    /*
     * The runtime frees a value after its last reader. Values of the forward pass that a gradient reads live until then, so they
     * are all there at the end of the forward pass. Results of Reshape share the memory of their input. What is computed
     * besides is freed soon: four times the largest value are added for it.
     */

    private static final int TRANSIENT = 4;

    private static final Set<String> VIEWS = Set.of("Reshape", "Identity", "Unsqueeze", "Squeeze", "Flatten");

    private final int texts;
    private final int tokens;

    /**
     * For a batch.
     *
     * @param texts the size of dimensions that are named {@code batch}
     * @param tokens the size of other named dimensions
     */
    ActivationMemory(int texts, int tokens) {
        this.texts = texts;
        this.tokens = tokens;
    }

    /** The bytes of a run of {@code backward}, in which the nodes of {@code forward} are the forward pass. */
    long bytes(Graph forward, Graph backward) {
        Map<String, String> origins = new HashMap<>(); // of views
        Set<String> own = new HashSet<>();
        long largest = 0;
        for (Node node : forward.nodes()) {
            own.addAll(node.outputs());
            if (VIEWS.contains(node.operator())) {
                origins.put(node.output(0), origins.getOrDefault(node.input(0), node.input(0)));
            }
            for (String output : node.outputs()) {
                largest = Math.max(largest, elements(forward.value(output)));
            }
        }
        Set<String> kept = new HashSet<>();
        for (Node node : backward.nodes()) {
            for (String output : node.outputs()) {
                largest = Math.max(largest, elements(backward.value(output)));
            }
            if (!own.contains(node.output(0))) {
                node.inputs().stream()
                        .filter(own::contains)
                        .forEach(input -> kept.add(origins.getOrDefault(input, input)));
            }
        }
        kept.retainAll(own);
        long sum =
                kept.stream().mapToLong(name -> elements(forward.value(name))).sum();
        return (long) Float.BYTES * (sum + TRANSIENT * largest);
    }

    private long elements(Value value) {
        if (!value.shape().isRanked()) {
            return 0;
        }
        long elements = 1;
        for (Shape.Dim dim : value.shape().dims()) {
            elements *= dim.factor();
            for (String symbol : dim.symbols()) {
                elements *= symbol.equals("batch") ? texts : tokens;
            }
        }
        return elements;
    }
}
