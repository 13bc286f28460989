package dev.pollux.inference.internal.step;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.inference.onnx.GraphInput.Role;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The buffer and tensor of one {@link GraphInput}. Each step rewrites the buffer; the tensor is recreated only if the
 * number of elements or of sequences changes. <em>Confined to one thread.</em>
 */
public final class StepInput implements AutoCloseable {

    private final GraphInput input;
    private ByteBuffer buffer = Tensors.direct(0);
    private @Nullable OnnxTensor tensor;
    private int count = -1;
    private int sequences = -1;

    public StepInput(GraphInput input) {
        this.input = input;
    }

    /** Writes the values of {@code step} and binds the tensor. */
    public void write(GraphInput.Step step, Map<String, OnnxTensor> inputs) {
        int wanted = input.count(step);
        int written = input.role() == Role.MASK ? Math.max(0, count) : 0; // ones stay ones
        if (wanted != count) {
            int bytes = Math.multiplyExact(wanted, input.type().bytes());
            if (bytes > buffer.capacity()) {
                buffer = Tensors.direct((int) Math.min(Integer.MAX_VALUE, bytes * 3L / 2));
                written = 0;
            }
            buffer.clear().limit(bytes);
        }
        for (int i = written; i < wanted; i++) {
            put(i, input.value(step, i));
        }
        if (wanted != count || step.sequences() != sequences) {
            OnnxTensor old = tensor;
            tensor = Tensors.over(buffer, input.type(), input.shape(step.sequences(), wanted));
            inputs.put(input.name(), tensor);
            count = wanted;
            sequences = step.sequences();
            if (old != null) {
                old.close();
            }
        }
    }

    private void put(int i, long value) {
        switch (input.type()) {
            case INT64 -> buffer.putLong(i * Long.BYTES, value);
            case INT32 -> buffer.putInt(i * Integer.BYTES, (int) value);
            case BOOL -> buffer.put(i, (byte) value);
            default -> throw new IllegalStateException(input + " is not a whole number");
        }
    }

    @Override
    public void close() {
        if (tensor != null) {
            tensor.close();
        }
    }
}
