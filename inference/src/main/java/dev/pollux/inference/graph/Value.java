package dev.pollux.inference.graph;

/**
 * A value of a graph: an input, a weight, or what a node computes. <em>Immutable.</em>
 *
 * @param name its name, which no other value of the graph has; empty for {@link #NONE}
 * @param type the type of its elements
 * @param shape its shape
 */
public record Value(String name, ElementType type, Shape shape) {

    /** An optional input that is left out. */
    public static final Value NONE = new Value("", ElementType.OTHER, Shape.UNKNOWN);

    /** A value of which nothing but the name is known. */
    public static Value unknown(String name) {
        return new Value(name, ElementType.OTHER, Shape.UNKNOWN);
    }

    /** Whether it is an input that is left out. */
    public boolean isNone() {
        return name.isEmpty();
    }
}
