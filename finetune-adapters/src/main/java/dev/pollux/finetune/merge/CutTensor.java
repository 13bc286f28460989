package dev.pollux.finetune.merge;

import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.List;

/** The first rows of a tensor. */
record CutTensor(TensorSource whole, long rows) implements TensorSource {

    @Override
    public List<Long> shape() {
        List<Long> shape = new ArrayList<>(whole.shape());
        shape.set(0, rows);
        return shape;
    }

    @Override
    public String label() {
        return whole.label();
    }

    @Override
    public TensorSource ready() {
        return new CutTensor(whole.ready(), rows);
    }

    @Override
    public long storedBytes() {
        return whole.storedBytes();
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        whole.read(first, count, into, at);
    }
}
