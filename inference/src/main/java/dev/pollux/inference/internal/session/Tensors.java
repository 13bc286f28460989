package dev.pollux.inference.internal.session;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.NativeRuntime;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors backed by direct buffers, which the runtime reads and writes in place. */
public final class Tensors {

    private Tensors() {}

    /** A direct buffer in native order. */
    public static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** A tensor backed by the bytes from 0 to the limit of {@code buffer}. */
    public static OnnxTensor over(ByteBuffer buffer, ElementType type, long... shape) {
        try {
            ByteBuffer whole = buffer.duplicate().order(ByteOrder.nativeOrder());
            return OnnxTensor.createTensor(
                    NativeRuntime.environment(),
                    whole.position(0),
                    shape,
                    OnnxJavaType.valueOf(type.name())); // both use the ONNX type names
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot create a tensor: " + e.getMessage(), e);
        }
    }
}
