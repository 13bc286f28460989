package dev.pollux.tensor;

import java.util.List;

/** θ + scale·added. */
public record ShiftedTensor(TensorSource exact, TensorSource added, double scale, String label)
        implements TensorSource {

    @Override
    public List<Long> shape() {
        return exact.shape();
    }

    @Override
    public long storedBytes() {
        return exact.storedBytes() + added.storedBytes();
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        float[] more = new float[count];
        exact.read(first, count, into, at);
        added.read(first, count, more, 0);
        for (int i = 0; i < count; i++) {
            into[at + i] = (float) (into[at + i] + scale * more[i]);
        }
    }
}
