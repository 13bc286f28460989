package dev.pollux.inference.graph;

/**
 * A constant tensor of a graph (an ONNX initializer). Its bytes are produced when the graph is written. <em>Immutable.</em>
 *
 * @param name its name, unique among the graph's values
 * @param type the type of its elements
 * @param shape its shape, all sizes known
 * @param source produces its bytes
 */
public record Weight(String name, ElementType type, Shape shape, WeightSource source) {

    public Weight {
        if (shape.elements() < 0) {
            throw new IllegalArgumentException("the shape of the weight " + name + " must be known but was " + shape);
        }
    }

    /** Its value in the graph. */
    public Value value() {
        return new Value(name, type, shape);
    }

    /** The number of its elements. */
    public long elements() {
        return shape.elements();
    }

    /** The number of its bytes; 0 for {@link ElementType#OTHER}. */
    public long bytes() {
        return type.bytes(shape.elements());
    }
}
