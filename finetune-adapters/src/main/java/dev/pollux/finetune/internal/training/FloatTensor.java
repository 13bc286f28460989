package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.session.Tensors;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** 32-bit floats in direct memory, which the runtime reads and writes in place. <em>Confined to one thread.</em> */
final class FloatTensor implements AutoCloseable {

    private final Memory memory;
    private final ByteBuffer bytes;
    private final Runnable free;
    private final int elements;
    private final OnnxTensor tensor;
    private boolean closed;

    /** @param free gives the bytes back */
    FloatTensor(Memory memory, ByteBuffer bytes, Runnable free, long[] shape) {
        this.memory = memory;
        this.bytes = bytes;
        this.free = free;
        this.elements = Memory.elements(shape);
        this.tensor = Tensors.over(part(0, elements), ElementType.FLOAT, shape);
    }

    private ByteBuffer part(int first, int count) {
        return bytes.slice(first * Float.BYTES, count * Float.BYTES).order(bytes.order());
    }

    OnnxTensor tensor() {
        return tensor;
    }

    int elements() {
        return elements;
    }

    /** All elements. */
    FloatBuffer floats() {
        return part(0, elements).asFloatBuffer();
    }

    /** A copy of the elements. */
    float[] array() {
        float[] values = new float[elements];
        floats().get(values);
        return values;
    }

    FloatTensor set(float[] values) {
        floats().put(values, 0, elements);
        return this;
    }

    void clear() {
        FloatBuffer own = floats();
        for (int i = 0; i < elements; i++) {
            own.put(i, 0);
        }
    }

    /** Adds the elements of another tensor of the same size. */
    void add(FloatTensor other) {
        add(0, other);
    }

    /** Adds the elements of another tensor to those from {@code first} on. */
    void add(int first, FloatTensor other) {
        FloatBuffer own = part(first, other.elements).asFloatBuffer();
        FloatBuffer more = other.floats();
        for (int i = 0; i < other.elements; i++) {
            own.put(i, own.get(i) + more.get(i));
        }
    }

    /** Sets the elements to the values of an input. */
    void set(TrainedInput input) {
        float[] values = memory.scratch(elements);
        Arrays.fill(values, 0, elements, 0);
        input.writer().accept(input, values);
        set(values);
    }

    /** Adds the elements to the gradients of an input. */
    void addTo(TrainedInput input) {
        float[] values = memory.scratch(elements);
        floats().get(values, 0, elements);
        input.reader().accept(input, values);
    }

    /** Rows of this tensor of (1, rows, width) or (rows, width) in place; the caller closes the result. */
    OnnxTensor rows(int first, int count, int width) {
        return Tensors.over(part(first * width, count * width), ElementType.FLOAT, count, width);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            tensor.close();
            free.run();
        }
    }
}
