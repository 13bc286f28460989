package dev.pollux.finetune.internal.differentiation;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** The graph with its gradients so far, and the operators that rules add. <em>Confined to one thread.</em> */
final class BackwardGraph {

    private static final String PREFIX = "gradient.";

    private final Graph forward;
    private final GraphBuilder builder;
    private final Set<String> needed;
    private final Map<String, Value> gradients = new HashMap<>();
    private final Map<String, Value> constants = new HashMap<>();
    private int names;

    /** @param needed the names of the values whose gradients are needed */
    BackwardGraph(Graph forward, GraphBuilder builder, Set<String> needed) {
        this.forward = forward;
        this.builder = builder;
        this.needed = needed;
    }

    // Gradients

    boolean needs(String value) {
        return needed.contains(value);
    }

    Optional<Value> gradient(String value) {
        return Optional.ofNullable(gradients.get(value));
    }

    /** Adds {@code gradient}, summed to the shape of {@code value}, to the gradient of {@code value}. */
    void accumulate(Value value, Value gradient) {
        Value one = summedTo(gradient, value);
        Value before = gradients.get(value.name());
        gradients.put(value.name(), before == null ? one : add(before, one));
    }

    /** Sums the axes along which broadcasting repeated {@code like}. */
    private Value summedTo(Value x, Value like) {
        Shape shape = like.shape();
        if (x.shape().equals(shape)) {
            return x;
        }
        if (!x.shape().isRanked() || !shape.isRanked()) {
            throw new UnsupportedModelException("The gradient of " + like.name() + " has the shape " + x.shape()
                    + " where " + shape + " is needed, and one of them is not known; declare the shape of the value");
        }
        int more = x.shape().rank() - shape.rank();
        Value sum = more == 0 ? x : sum(x, false, IntStream.range(0, more).toArray());
        int[] axes = IntStream.range(0, shape.rank())
                .filter(i -> shape.size(i) == 1 && x.shape().size(i + more) != 1)
                .toArray();
        return axes.length == 0 ? sum : sum(sum, true, axes);
    }

    // Values

    Value value(String name) {
        return builder.value(name);
    }

    /** The numbers of a list of integers that is stored in the graph. */
    Optional<long[]> integersOf(Value value) {
        return forward.integers(value.name());
    }

    private String fresh(String operator) {
        return PREFIX + operator.toLowerCase(Locale.ROOT) + "." + names++;
    }

    /** A number, (1). */
    Value number(double value) {
        return constants.computeIfAbsent(
                "number " + (float) value,
                key -> builder.floats(fresh("number"), () -> new float[] {(float) value}, 1));
    }

    /** Integers, (values). */
    Value integers(long... values) {
        return constants.computeIfAbsent(
                "integers " + Arrays.toString(values), key -> builder.integers(fresh("integers"), values));
    }

    // Operators

    Value op(String operator, Map<String, ?> attributes, Value... in) {
        return builder.op(operator, fresh(operator), List.of(in), attributes);
    }

    private Value fused(String operator, Map<String, ?> attributes, Value... in) {
        return builder.fused(operator, fresh(operator), List.of(in), attributes);
    }

    /** The same node with other inputs, whose result has the shape of the first. */
    Value again(Node node, Value... in) {
        Node copy = node;
        for (int i = 0; i < in.length; i++) {
            copy = copy.withInput(i, in[i].name());
        }
        String name = fresh(node.operator());
        builder.add(copy.withOutput(0, name));
        return shaped(new Value(name, in[0].type(), in[0].shape()), in[0]);
    }

    Value add(Value a, Value b) {
        return op("Add", Map.of(), a, b);
    }

    Value subtract(Value a, Value b) {
        return op("Sub", Map.of(), a, b);
    }

    Value multiply(Value a, Value b) {
        return op("Mul", Map.of(), a, b);
    }

    Value divide(Value a, Value b) {
        return op("Div", Map.of(), a, b);
    }

    Value negative(Value x) {
        return op("Neg", Map.of(), x);
    }

    Value greater(Value a, Value b) {
        return op("Greater", Map.of(), a, b);
    }

    /** x where the condition holds, else 0. */
    Value where(Value condition, Value x) {
        return op("Where", Map.of(), condition, x, number(0));
    }

    Value cast(Value x, ElementType type) {
        return op("Cast", Map.of("to", type.code()), x);
    }

    Value sum(Value x, boolean kept, int... axes) {
        long[] listed = Arrays.stream(axes).asLongStream().toArray();
        return op("ReduceSum", Map.of("keepdims", kept ? 1 : 0), x, integers(listed));
    }

    /** The mean over the last axis, which stays with a size of 1. */
    Value mean(Value x) {
        return op("ReduceMean", Map.of("keepdims", 1), x, integers(-1));
    }

    /** 1 / √(mean x + ε) over the last axis. */
    Value inverseRoot(Value squares, float epsilon) {
        return op("Reciprocal", Map.of(), op("Sqrt", Map.of(), add(mean(squares), number(epsilon))));
    }

    /** α op(A) op(B) over the last two axes. */
    Value product(Value a, boolean turnA, Value b, boolean turnB, float alpha) {
        if (!turnA && !turnB && alpha == 1) {
            return op("MatMul", Map.of(), a, b);
        }
        Map<String, ?> attributes = Map.of("transA", turnA ? 1 : 0, "transB", turnB ? 1 : 0, "alpha", alpha);
        boolean matrices = a.shape().rank() == 2 && b.shape().rank() == 2;
        return matrices ? op("Gemm", attributes, a, b) : fused("FusedMatMul", attributes, a, b);
    }

    List<Value> split(Value x, int axis, List<Integer> sizes) {
        List<String> parts = new ArrayList<>();
        sizes.forEach(size -> parts.add(fresh("part")));
        Value lengths = integers(sizes.stream().mapToLong(Integer::longValue).toArray());
        return builder.node("Split", "", List.of(x, lengths), parts, Map.of("axis", axis));
    }

    // Shapes

    /** The sizes of x: numbers if all are known, else read in the run, for which x is computed. */
    private Value sizes(Value x) {
        if (x.shape().elements() >= 0) {
            return integers(
                    x.shape().dims().stream().mapToLong(Shape.Dim::factor).toArray());
        }
        return op("Shape", Map.of(), x);
    }

    /** Declares that x has the shape of {@code like}. */
    Value shaped(Value x, Value like) {
        return shaped(x, like.shape());
    }

    /** Declares a shape; a size that is a product of names is unknown. */
    Value shaped(Value x, Shape shape) {
        if (!shape.isRanked() || x.shape().equals(shape)) {
            return x;
        }
        return builder.declared(new Value(x.name(), x.type(), shape));
    }

    Value reshaped(Value x, List<Long> sizes) {
        return op(
                "Reshape",
                Map.of(),
                x,
                integers(sizes.stream().mapToLong(Long::longValue).toArray()));
    }

    Value reshapedLike(Value x, Value like) {
        List<Shape.Dim> dims = like.shape().dims();
        boolean inferred = like.shape().isRanked()
                && dims.stream().filter(dim -> !dim.isFixed()).count() == 1;
        Value sizes = inferred
                ? integers(dims.stream()
                        .mapToLong(dim -> dim.isFixed() ? dim.factor() : -1)
                        .toArray())
                : sizes(like);
        return shaped(op("Reshape", Map.of(), x, sizes), like);
    }

    /** x repeated to the shape of {@code like}. */
    Value like(Value x, Value like) {
        return shaped(op("Expand", Map.of(), x, repeats(x.shape(), like)), like);
    }

    /** The sizes to which x is repeated. An axis of equal size is not repeated, so that it need not be known. */
    private Value repeats(Shape x, Value like) {
        List<Shape.Dim> dims = like.shape().dims();
        long[] sizes = new long[dims.size()];
        for (int i = 0; i < sizes.length; i++) {
            Shape.Dim dim = dims.get(i);
            if (!dim.isFixed()
                    && (x.rank() != sizes.length || dim.equals(Shape.Dim.UNKNOWN) || !dim.equals(x.dim(i)))) {
                return sizes(like);
            }
            sizes[i] = dim.isFixed() ? dim.factor() : 1;
        }
        return like.shape().isRanked() ? integers(sizes) : sizes(like);
    }

    /** Zeros in the shape of {@code like}. */
    Value zeros(Value like) {
        Value made = op("ConstantOfShape", Map.of(), sizes(like));
        return builder.declared(new Value(made.name(), ElementType.FLOAT, like.shape()));
    }

    /** The number of elements, (1). */
    Value count(Value x) {
        Value size = op("Size", Map.of(), x);
        return op("Reshape", Map.of(), cast(size, ElementType.FLOAT), integers(1));
    }
}
