package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.internal.NativeRuntime;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors over direct buffers, which the runtime reads and writes in place. */
final class Tensors {

    private Tensors() {}

    /** A direct buffer in native order. */
    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** A tensor over the bytes from 0 to the limit of {@code buffer}. */
    static OnnxTensor over(ByteBuffer buffer, ElementType type, long... shape) {
        try {
            ByteBuffer whole = buffer.duplicate().order(ByteOrder.nativeOrder());
            return OnnxTensor.createTensor(NativeRuntime.environment(), whole.position(0), shape, type.type());
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot create a tensor: " + e.getMessage(), e);
        }
    }
}
