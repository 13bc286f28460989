package dev.pollux.finetune.internal.differentiation;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** A node of the forward graph, the argument of its {@link Rule}. <em>For one call.</em> */
final class BackwardNode {

    private final BackwardGraph graph;
    private final Node node;

    BackwardNode(BackwardGraph graph, Node node) {
        this.graph = graph;
        this.node = node;
    }

    BackwardGraph graph() {
        return graph;
    }

    Node node() {
        return node;
    }

    /** An input; {@link Value#NONE} if it is omitted. */
    Value in(int index) {
        return graph.value(node.input(index));
    }

    /** A result. */
    Value out(int index) {
        return graph.value(node.output(index));
    }

    /** The gradient of the first result, zeros if only others have one. */
    Value dy() {
        return dy(0).orElseGet(() -> graph.zeros(out(0)));
    }

    /** The gradient of a result; empty if nothing depends on it. */
    Optional<Value> dy(int index) {
        return graph.gradient(node.output(index));
    }

    /**
     * Adds to the gradient of an input. Axes along which the operator repeated the input are summed.
     *
     * @param gradient is asked only if the gradient of the input is needed
     */
    void gradient(int index, Supplier<Value> gradient) {
        if (graph.needs(node.input(index))) {
            graph.accumulate(in(index), gradient.get());
        }
    }

    /** Refuses a graph in which the gradient of this input is needed. */
    void withoutGradient(int index, String what) {
        if (graph.needs(node.input(index))) {
            throw refused(what + " gets no gradient");
        }
    }

    void requireInputs(int count) {
        if (node.inputs().size() != count) {
            throw refused("it has " + node.inputs().size() + " inputs, not " + count);
        }
    }

    /** The numbers of an input that is a list of integers stored in the graph. */
    long[] integers(int index) {
        return graph.integersOf(in(index))
                .orElseThrow(() -> refused("the numbers " + node.input(index) + " are computed in the graph"));
    }

    /** The size of an axis, which must be known. */
    long known(Value value, int axis) {
        long size = value.shape().size(axis);
        if (size < 0) {
            throw refused("the size of axis " + axis + " of " + value.name() + " " + value.shape() + " is not known");
        }
        return size;
    }

    /** The axes of a reduction; all where none are given. */
    int[] axes() {
        int rank = in(0).shape().rank();
        if (in(1).isNone()) {
            int[] all = new int[rank];
            Arrays.setAll(all, i -> i);
            return all;
        }
        return Arrays.stream(integers(1))
                .mapToInt(axis -> (int) (axis < 0 ? axis + rank : axis))
                .toArray();
    }

    /** A result of a reduction, or its gradient, with a size of 1 in place of the axes that are gone. */
    Value keptDims(Value reduced) {
        if (node.integer("keepdims", 1) != 0) {
            return reduced;
        }
        long[] axes = Arrays.stream(axes()).asLongStream().toArray();
        Value kept = graph.op("Unsqueeze", Map.of(), reduced, graph.integers(axes));
        List<Shape.Dim> dims = new ArrayList<>(in(0).shape().dims());
        for (long axis : axes) {
            dims.set((int) axis, Shape.Dim.of(1));
        }
        return graph.shaped(kept, Shape.of(dims));
    }

    /** The error for an attribute or a shape that a rule does not cover. */
    UnsupportedModelException refused(String why) {
        return new UnsupportedModelException("Cannot differentiate " + node + ": " + why
                + "; train a model whose layers do without it, or detach the value");
    }
}
