package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.inference.onnx.GraphLogits;
import dev.pollux.internal.math.Float16;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The logits of a step: the graph's output buffer, and the requested rows of it. <em>Confined to one thread.</em> */
final class StepLogits implements AutoCloseable {

    private final GraphLogits form;
    private final int vocabulary;
    private ByteBuffer buffer = Tensors.direct(0); // (sequences, rows, vocabulary)
    private FloatBuffer widened = FloatBuffer.allocate(0); // (due, vocabulary), used if the graph writes 16 bits
    private @Nullable OnnxTensor tensor;
    private int rows = -1;
    private int sequences = -1;

    StepLogits(GraphLogits form, int vocabulary) {
        this.form = form;
        this.vocabulary = vocabulary;
    }

    /** Makes room for the logits of a step and binds the buffer. */
    void bind(GraphInput.Step step, Map<String, OnnxTensor> outputs) {
        int wanted = form.rows().written(step.count(), step.due());
        if (wanted == rows && step.sequences() == sequences) {
            return;
        }
        int all = Math.multiplyExact(step.sequences(), wanted);
        int bytes = Math.multiplyExact(
                Math.multiplyExact(all, vocabulary), form.type().bytes());
        if (bytes > buffer.capacity()) {
            buffer = Tensors.direct(bytes);
        }
        buffer.clear().limit(bytes);
        OnnxTensor old = tensor;
        tensor = Tensors.over(buffer, form.type(), step.sequences(), wanted, vocabulary);
        outputs.put(form.name(), tensor);
        rows = wanted;
        sequences = step.sequences();
        if (old != null) {
            old.close();
        }
    }

    /** The last rows of a sequence, (due, vocabulary); valid until the next step. */
    FloatBuffer last(int sequence, int due) {
        int from = ((sequence + 1) * rows - due) * vocabulary;
        int length = due * vocabulary;
        if (form.type() == ElementType.FLOAT) {
            return buffer.asFloatBuffer().slice(from, length);
        }
        if (length > widened.capacity()) {
            widened = FloatBuffer.allocate(length);
        }
        boolean half = form.type() == ElementType.FLOAT16;
        for (int i = 0; i < length; i++) {
            short bits = buffer.getShort((from + i) * Short.BYTES);
            widened.put(i, half ? Float16.toFloat(bits) : Float16.fromBfloat16(bits));
        }
        return widened.slice(0, length);
    }

    @Override
    public void close() {
        if (tensor != null) {
            tensor.close();
        }
    }
}
