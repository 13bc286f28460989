package dev.pollux.finetune.merge;

import dev.pollux.internal.math.CounterRandom;
import dev.pollux.tensor.DerivedTensor;
import dev.pollux.tensor.TensorSource;

/**
 * (θ + noise·ε)·scale with standard normal ε; ε is independent of the reading order.
 *
 * @param key the key of the random numbers
 */
record NoisyTensor(TensorSource exact, double noise, double scale, long key) implements DerivedTensor {

    @Override
    public TensorSource ready() {
        return new NoisyTensor(exact.ready(), noise, scale, key);
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        exact.read(first, count, into, at);
        for (int i = 0; i < count; i++) {
            double value = into[at + i];
            if (noise != 0) {
                value += noise * normal(key, first + i);
            }
            into[at + i] = (float) (value * scale);
        }
    }

    /** The number at {@code index} of a stream of standard normal numbers (Box and Muller, 1958). */
    static double normal(long key, long index) {
        double u = (CounterRandom.bits(key, 2 * index) + 1) * 0x1p-53; // in (0, 1]
        double v = CounterRandom.bits(key, 2 * index + 1) * 0x1p-53;
        return Math.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v);
    }
}
