package dev.pollux.finetune.internal.model;

import dev.pollux.finetune.internal.model.OnnxModel.Initializer;
import dev.pollux.internal.math.Float16;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TensorSource;
import java.nio.ByteBuffer;
import java.util.List;

/** An initializer of an ONNX model as floats. */
record OnnxTensor(Initializer initializer, String label) implements TensorSource {

    @Override
    public List<Long> shape() {
        return initializer.shape();
    }

    @Override
    public long storedBytes() {
        return initializer.elements() * initializer.type().blockBytes();
    }

    @Override
    public void read(long first, int count, float[] into, int at) {
        DType type = initializer.type();
        if (!initializer.isExternal() && !initializer.proto().hasRawData()) {
            listed((int) first, count, into, at);
            return;
        }
        ByteBuffer bytes = initializer.bytes(first * type.blockBytes(), count * type.blockBytes());
        if (type == DType.F32) {
            bytes.asFloatBuffer().get(into, at, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            short half = bytes.getShort(2 * i);
            into[at + i] = type == DType.BF16 ? Float16.fromBfloat16(half) : Float16.toFloat(half);
        }
    }

    /** Reads values from a typed field of the message; 16-bit values are stored as integers there. */
    private void listed(int first, int count, float[] into, int at) {
        for (int i = 0; i < count; i++) {
            if (initializer.type() == DType.F32) {
                into[at + i] = initializer.proto().getFloatData(first + i);
            } else {
                short half = (short) initializer.proto().getInt32Data(first + i);
                into[at + i] = initializer.type() == DType.BF16 ? Float16.fromBfloat16(half) : Float16.toFloat(half);
            }
        }
    }
}
