package dev.pollux.finetune.internal.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a forward pass leaves for the backward pass: the stream before each layer and after the last, and, unless they are computed
 * again, the inputs and results of attention and the results of products. <em>Confined to one thread.</em>
 */
public final class Activations implements AutoCloseable {

    private final TokenBatch batch;
    private final OptionalLong dropout;
    private final KeptProducts.Row products;
    private float[] taught = new float[0];
    private Optional<FloatTensor> headGradient = Optional.empty();
    private final List<FloatTensor> streams = new ArrayList<>();
    private final List<List<Attended>> attentions = new ArrayList<>();

    /** The inputs of an attention and its result. */
    record Attended(BlockAttention.Inputs inputs, FloatTensor result) implements AutoCloseable {
        @Override
        public void close() {
            inputs.close();
            result.close();
        }
    }

    /**
     * Of a row that is about to run.
     *
     * @param dropout the seed of dropout; empty for none
     * @param products is closed with these
     */
    Activations(TokenBatch batch, OptionalLong dropout, KeptProducts.Row products) {
        this.batch = batch;
        this.dropout = dropout;
        this.products = products;
    }

    OptionalLong dropout() {
        return dropout;
    }

    /** The tokens that were read. */
    public TokenBatch batch() {
        return batch;
    }

    /** Sets what the teacher keeps of the predicted tokens, (targets, its width). */
    public void taught(float[] states) {
        taught = states;
    }

    float[] taught() {
        return taught;
    }

    List<FloatTensor> streams() {
        return streams;
    }

    /** By layer, the attentions in order; empty if they are computed again. */
    List<List<Attended>> attentions() {
        return attentions;
    }

    /** Results of products. */
    KeptProducts.Row products() {
        return products;
    }

    FloatTensor last() {
        return streams.get(streams.size() - 1);
    }

    /** Releases memory. Idempotent. */
    @Override
    public void close() {
        streams.forEach(FloatTensor::close);
        streams.clear();
        attentions.forEach(all -> all.forEach(Attended::close));
        attentions.clear();
        products.close();
        headGradient.ifPresent(FloatTensor::close);
        headGradient = Optional.empty();
    }

    /** The gradient of the last stream, if the head has computed it with its measures. */
    Optional<FloatTensor> takeHeadGradient() {
        Optional<FloatTensor> taken = headGradient;
        headGradient = Optional.empty();
        return taken;
    }

    /** Sets the gradient of the last stream, which is closed with these unless it is taken. */
    void headGradient(FloatTensor gradient) {
        headGradient = Optional.of(gradient);
    }
}
