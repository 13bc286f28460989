package dev.pollux.inference.graph;

/**
 * A value of a graph: an input, a weight, or the output of a node. <em>Immutable.</em>
 *
 * @param name its unique name in the graph; empty for {@link #NONE}
 * @param type the type of its elements
 * @param shape its shape
 */
public record Value(String name, ElementType type, Shape shape) {

    /** An omitted optional input. */
    public static final Value NONE = new Value("", ElementType.OTHER, Shape.UNKNOWN);

    /** A value of unknown type and shape. */
    public static Value unknown(String name) {
        return new Value(name, ElementType.OTHER, Shape.UNKNOWN);
    }

    /** Whether it is an omitted input. */
    public boolean isNone() {
        return name.isEmpty();
    }
}
