package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSink;

/**
 * Moves the base towards the other model: θ = θ<sub>0</sub> + c·δ with c = min(1, t/|δ|), so no element moves by more than t.
 * <em>Immutable.</em>
 *
 * @param t from 0
 */
record NearSwap(double t) implements MergeMethod {

    private static final double SMALLEST = 1e-6;

    NearSwap {
        Weights.notNegative("t", t);
    }

    @Override
    public boolean readsOnce() {
        return true;
    }

    @Override
    public double cost() {
        return 4.5;
    }

    @Override
    public void merge(TensorWindows in, TensorSink out) {
        double scale = Math.min(1, t / SMALLEST); // weights are those of a difference of at least this
        float[][] result = new float[1][];
        in.pass((x, first, count) -> {
            float[] to = Vectors.room(result[0], count);
            result[0] = to;
            for (int j = 0; j < count; j++) {
                double base = x[0][j];
                double delta = scale * (x[1][j] - base);
                to[j] = (float) (base + Math.max(-t, Math.min(t, delta)));
            }
            out.put(to, count);
        });
    }
}
