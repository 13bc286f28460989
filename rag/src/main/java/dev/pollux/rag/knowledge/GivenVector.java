package dev.pollux.rag.knowledge;

import dev.pollux.embedding.EmbedderInfo;

/** Checks vectors that the host gives. <em>Stateless, thread-safe.</em> */
final class GivenVector {

    private GivenVector() {}

    /**
     * A copy of length 1 (L2).
     *
     * @throws IllegalArgumentException if the vector has another dimension, is zero or holds a value that is not finite
     */
    static float[] normalized(float[] vector, EmbedderInfo info) { // (dimension)
        if (vector.length != info.dimension()) {
            throw new IllegalArgumentException("A vector must have dimension " + info.dimension()
                    + ", that of the embedder " + info.name() + ", but had " + vector.length
                    + "; embed with the model that the knowledge base was created with");
        }
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        double length = Math.sqrt(squares);
        if (!(length > 0 && length < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "A vector must be finite and not zero but had length " + length + "; check the model that made it");
        }
        float[] unit = new float[vector.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = (float) (vector[i] / length);
        }
        return unit;
    }
}
