package dev.pollux.finetune.merge;

import dev.pollux.internal.math.CounterRandom;
import dev.pollux.tensor.TensorSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Tensors given as arrays, in windows of one row, and a sink that keeps what it gets. */
final class FakeWindows implements TensorWindows, TensorSink {

    private final int rowLength;
    private final float[][] sources;
    private final List<Float> merged = new ArrayList<>();
    private final Map<String, String> facts = new HashMap<>();

    private FakeWindows(int rowLength, float[][] sources) {
        this.rowLength = rowLength;
        this.sources = sources;
    }

    static FakeWindows of(int rowLength, float[]... sources) {
        return new FakeWindows(rowLength, sources);
    }

    /** What a method makes of the sources. */
    float[] merge(MergeMethod method) {
        merged.clear();
        method.merge(this, this);
        float[] result = new float[merged.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = merged.get(i);
        }
        return result;
    }

    Map<String, String> facts() {
        return facts;
    }

    @Override
    public int sources() {
        return sources.length;
    }

    @Override
    public long elements() {
        return sources[0].length;
    }

    @Override
    public int rowLength() {
        return rowLength;
    }

    @Override
    public int height() {
        return sources[0].length / rowLength;
    }

    @Override
    public long randomKey(int source) {
        return CounterRandom.key(7, "model-" + source, "tensor");
    }

    @Override
    public void pass(Consumer consumer, int... only) {
        for (int first = 0; first < sources[0].length; first += rowLength) {
            float[][] window = new float[sources.length][];
            for (int i = 0; i < window.length; i++) {
                window[i] = Arrays.copyOfRange(sources[i], first, first + rowLength);
            }
            consumer.accept(window, first, rowLength);
        }
    }

    @Override
    public void put(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            merged.add(values[i]);
        }
    }

    @Override
    public void fact(String name, String value) {
        facts.put(name, value);
    }
}
