package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;

/**
 * Copies one model's tensor: θ = scale·θ<sub>1</sub>. It is used for stacks of layers of several models. A scale of 0 for
 * {@code o_proj} and {@code down_proj} makes a layer an identity. <em>Immutable.</em>
 *
 * @param scale finite; default 1
 */
record Passthrough(double scale) implements MergeMethod {

    Passthrough {
        Weights.finite("scale", scale);
    }

    @Override
    public boolean readsOnce() {
        return true;
    }

    @Override
    public boolean takesEveryValue() {
        return true;
    }

    @Override
    public double cost() {
        return 2.0;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        Vectors.combine(in, new double[] {scale}, out);
    }
}
