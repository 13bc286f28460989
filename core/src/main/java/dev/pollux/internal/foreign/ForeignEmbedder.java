package dev.pollux.internal.foreign;

import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.internal.Interrupts;
import dev.pollux.internal.TokenEstimate;
import java.util.List;
import java.util.function.BiFunction;

/** An embedding model of another framework as an embedder; its vectors are checked and normalised. <em>Thread-safe.</em> */
public final class ForeignEmbedder implements Embedder {

    private final BiFunction<List<String>, TextRole, List<float[]>> model;
    private final EmbedderInfo info;
    private volatile boolean closed;

    /**
     * @param model makes one vector of each text; thread-safe; closed by the host
     * @param info its properties
     */
    public ForeignEmbedder(BiFunction<List<String>, TextRole, List<float[]>> model, EmbedderInfo info) {
        this.model = model;
        this.info = info;
    }

    @Override
    public float[][] embed(List<String> texts, TextRole role) {
        if (closed) {
            throw new IllegalStateException("The embedder is closed; make another");
        }
        Interrupts.check();
        if (texts.isEmpty()) {
            return new float[0][];
        }
        for (String text : texts) {
            int tokens = countTokens(text);
            if (tokens > info.maxTokens()) {
                throw new IllegalArgumentException("A text must have at most " + info.maxTokens()
                        + " tokens for embedder " + info.name() + " but has about " + tokens + "; split it");
            }
        }
        List<float[]> vectors = model.apply(texts, role);
        if (vectors.size() != texts.size()) {
            throw new ModelExecutionException("Embedding model " + info.name() + " made " + vectors.size()
                    + " vectors of " + texts.size() + " texts; it must make one a text");
        }
        return vectors.stream().map(this::unit).toArray(float[][]::new);
    }

    private float[] unit(float[] vector) { // (dimension)
        if (vector.length != info.dimension()) {
            throw new ModelExecutionException("Embedding model " + info.name() + " made a vector of length "
                    + vector.length + " but its info says " + info.dimension() + "; correct the dimension");
        }
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        double length = Math.sqrt(squares);
        if (!(length > 0 && length < Double.POSITIVE_INFINITY)) {
            throw new ModelExecutionException("Embedding model " + info.name() + " made a vector of length " + length
                    + "; it must be finite and not zero");
        }
        float[] unit = new float[vector.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = (float) (vector[i] / length);
        }
        return unit;
    }

    @Override
    public EmbedderInfo info() {
        return info;
    }

    @Override
    public int countTokens(String text) {
        return TokenEstimate.of(text);
    }

    @Override
    public void close() {
        closed = true; // the model is the host's
    }
}
