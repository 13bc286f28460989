package dev.pollux.inference.internal.masked;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The operators of a graph over whole texts, with generated names. A method adds operators and returns their result.
 * <em>Not thread-safe: one thread at a time.</em>
 */
public class Operators {

    public static final Value IDS = perToken("input_ids");
    public static final Value MASK = perToken("attention_mask");
    public static final Value TYPES = perToken("token_type_ids");

    private static Value perToken(String name) {
        return new Value(name, ElementType.INT64, Shape.from("batch", "tokens"));
    }

    private final GraphBuilder graph;
    private final Map<String, Integer> names;

    public Operators(GraphBuilder graph) {
        this.graph = graph;
        this.names = new HashMap<>();
    }

    /** Adds to the graph of {@code other}, whose names it continues. */
    protected Operators(Operators other) {
        this.graph = other.graph;
        this.names = other.names;
    }

    public final GraphBuilder graph() {
        return graph;
    }

    /** A name that no other value has. */
    public final String fresh(String hint) {
        int before = names.merge(hint, 1, Integer::sum);
        return before == 1 ? hint : hint + "." + before;
    }

    /** A standard operator with one result. */
    public final Value op(String operator, Map<String, ?> attributes, Value... inputs) {
        return graph.op(operator, fresh(operator.toLowerCase(Locale.ROOT)), List.of(inputs), attributes);
    }

    /** One of ONNX Runtime's operators with one result. */
    public final Value microsoft(String operator, Map<String, ?> attributes, Value... inputs) {
        return graph.fused(operator, fresh(operator.toLowerCase(Locale.ROOT)), List.of(inputs), attributes);
    }

    public final Value add(Value a, Value b) {
        return op("Add", Map.of(), a, b);
    }

    public final Value multiply(Value a, Value b) {
        return op("Mul", Map.of(), a, b);
    }

    /** A number; shape (1). */
    public final Value number(double value) {
        return graph.floats(fresh("number"), () -> new float[] {(float) value}, 1);
    }

    /** Whole numbers; shape (values). */
    public final Value integers(long... values) {
        return graph.integers(fresh("integers"), values);
    }

    /** A whole number without dimensions. */
    public final Value scalar(long value) {
        return op("Squeeze", Map.of(), integers(value));
    }

    public final Value reshape(Value x, long... shape) {
        return op("Reshape", Map.of(), x, integers(shape));
    }

    public final Value cast(Value x, ElementType type) {
        return op("Cast", Map.of("to", type.code()), x);
    }

    /** x in parts along its last axis. */
    public final List<Value> split(Value x, int... sizes) {
        List<String> parts =
                IntStream.range(0, sizes.length).mapToObj(i -> fresh("part")).toList();
        Value lengths = integers(Arrays.stream(sizes).asLongStream().toArray());
        return graph.node("Split", "", List.of(x, lengths), parts, Map.of("axis", -1));
    }
}
