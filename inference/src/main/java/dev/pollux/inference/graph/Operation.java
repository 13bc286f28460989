package dev.pollux.inference.graph;

import dev.pollux.inference.graph.Shape.Dim;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A node with its input values, the argument of a {@link ShapeRules rule}. <em>For one call.</em> */
final class Operation {

    private final Node node;
    private final List<Value> inputs;
    private final Function<Value, Optional<long[]>> constants;

    /** @param constants returns the numbers of a short list stored in the graph */
    Operation(Node node, List<Value> inputs, Function<Value, Optional<long[]>> constants) {
        this.node = node;
        this.inputs = inputs;
        this.constants = constants;
    }

    /** A type and a shape. */
    record Typed(ElementType type, Shape shape) {
        static final Typed UNKNOWN = new Typed(ElementType.OTHER, Shape.UNKNOWN);
    }

    /** The values of the outputs, {@link Value#NONE} for an omitted one. */
    List<Value> results() {
        List<Typed> typed = ShapeRules.of(node).results(this);
        List<Value> results = new ArrayList<>();
        for (int i = 0; i < node.outputs().size(); i++) {
            String name = node.output(i);
            Typed of = i < typed.size() ? typed.get(i) : Typed.UNKNOWN;
            results.add(name.isEmpty() ? Value.NONE : new Value(name, of.type(), of.shape()));
        }
        return results;
    }

    Node node() {
        return node;
    }

    boolean has(int index) {
        return index < inputs.size() && !inputs.get(index).isNone();
    }

    Value in(int index) {
        return index < inputs.size() ? inputs.get(index) : Value.NONE;
    }

    Shape shape(int index) {
        return in(index).shape();
    }

    int count() {
        return inputs.size();
    }

    Optional<long[]> constant(int index) {
        return constants.apply(in(index));
    }

    /** Results with these shapes and the type of the first input. */
    List<Typed> of(Shape... shapes) {
        List<Typed> results = new ArrayList<>();
        for (Shape shape : shapes) {
            results.add(new Typed(in(0).type(), shape));
        }
        return results;
    }

    List<Typed> of(ElementType type, Shape shape) {
        return List.of(new Typed(type, shape));
    }

    /** Refuses the inputs unless {@code holds}. */
    void require(boolean holds, String rule) {
        if (!holds) {
            throw mismatch(rule);
        }
    }

    /** The value; refuses the inputs if there is none. */
    <T> T required(Optional<T> value, String rule) {
        return value.orElseThrow(() -> mismatch(rule));
    }

    /** Refuses the inputs unless the two sizes are compatible. */
    void same(Dim one, Dim other, String rule) {
        require(one.fits(other), rule);
    }

    ShapeMismatchException mismatch(String rule) {
        String shapes = inputs.stream()
                .filter(value -> !value.isNone())
                .map(value -> value.shape().toString())
                .collect(Collectors.joining(" and "));
        return new ShapeMismatchException(
                node.operator() + " " + node.output(0) + ": " + shapes + " do not fit: " + rule);
    }

    /** An axis counted from 0. */
    int axis(long axis, int rank) {
        long from = axis < 0 ? axis + rank : axis;
        require(from >= 0 && from < rank, "the axis " + axis + " must be one of " + rank);
        return (int) from;
    }

    /** The broadcast shape of all inputs from {@code first} on: dimensions, aligned at the end, are equal or 1. */
    Shape broadcast(int first) {
        Shape result = shape(first);
        for (int i = first + 1; i < inputs.size(); i++) {
            if (has(i)) {
                result = broadcast(result, shape(i));
            }
        }
        return result;
    }

    Shape broadcast(Shape a, Shape b) {
        if (!a.isRanked() || !b.isRanked()) {
            return Shape.UNKNOWN;
        }
        int rank = Math.max(a.rank(), b.rank());
        List<Dim> dims = new ArrayList<>();
        for (int i = rank; i > 0; i--) {
            Dim one = i > a.rank() ? Dim.of(1) : a.dim(-i);
            Dim other = i > b.rank() ? Dim.of(1) : b.dim(-i);
            if (one.equals(Dim.of(1))) {
                dims.add(other);
            } else if (other.equals(Dim.of(1))) {
                dims.add(one);
            } else {
                require(one.fits(other), "each dimension, counted from the last, must be equal or 1");
                dims.add(one.isUnknown() ? other : one);
            }
        }
        return Shape.of(dims);
    }
}
