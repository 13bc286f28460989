package dev.pollux.finetune.merge;

import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.DerivedTensor;
import dev.pollux.tensor.TensorSource;

/** A tensor rounded to a 16-bit type on reading, as in mergekit if a plan's dtype is narrower than its inputs. */
record RoundedTensor(TensorSource exact, DType type) implements DerivedTensor {

    @Override
    public TensorSource ready() {
        return new RoundedTensor(exact.ready(), type);
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        exact.read(first, count, into, at);
        for (int i = at; i < at + count; i++) {
            into[i] = type == DType.BF16
                    ? Float16.fromBfloat16(Float16.toBfloat16(into[i]))
                    : Float16.toFloat(Float16.fromFloat(into[i]));
        }
    }
}
