package dev.pollux.inference.encoder;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import dev.pollux.UnsupportedModelException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The declared inputs of a graph, in direct buffers that are rewritten for every text.
 *
 * <p>Texts run alone and unpadded, so the mask is all ones and the positions count up: these are written when a buffer grows,
 * and only the ids and the token types change from text to text.
 */
final class GraphInputs implements AutoCloseable {

    private enum Kind {
        IDS,
        MASK,
        TYPES,
        POSITIONS
    }

    private static final Map<String, Kind> KINDS = Map.of(
            "input_ids", Kind.IDS,
            "attention_mask", Kind.MASK,
            "token_type_ids", Kind.TYPES,
            "position_ids", Kind.POSITIONS);

    private final OrtEnvironment environment;
    private final int firstPosition;
    private final List<Slot> slots = new ArrayList<>();
    private final Map<String, OnnxTensor> tensors = new HashMap<>();
    private int capacity;

    /** One input: its buffer holds {@code capacity} elements of 4 or 8 bytes. */
    private static final class Slot {
        private final String name;
        private final Kind kind;
        private final boolean wide;
        private ByteBuffer buffer = ByteBuffer.allocateDirect(0);

        private Slot(String name, Kind kind, boolean wide) {
            this.name = name;
            this.kind = kind;
            this.wide = wide;
        }

        private void put(int index, int value) {
            if (wide) {
                buffer.putLong(index * Long.BYTES, value);
            } else {
                buffer.putInt(index * Integer.BYTES, value);
            }
        }
    }

    GraphInputs(OrtEnvironment environment, String model, Map<String, NodeInfo> declared, int firstPosition) {
        this.environment = environment;
        this.firstPosition = firstPosition;
        declared.forEach((name, node) -> slots.add(slot(model, name, node)));
        if (slots.stream().noneMatch(slot -> slot.kind == Kind.IDS)) {
            throw new UnsupportedModelException(model + " must have an input input_ids but has " + declared.keySet()
                    + "; it is not a text encoder");
        }
    }

    private static Slot slot(String model, String name, NodeInfo node) {
        Kind kind = KINDS.get(name);
        OnnxJavaType type = node.getInfo() instanceof TensorInfo info ? info.type : OnnxJavaType.UNKNOWN;
        if (kind == null || type != OnnxJavaType.INT64 && type != OnnxJavaType.INT32) {
            throw new UnsupportedModelException(model + " has an input " + name + " of type " + type
                    + ", which a text does not give: inputs must be of "
                    + KINDS.keySet().stream().sorted().toList() + " and of type INT64 or INT32");
        }
        return new Slot(name, kind, type == OnnxJavaType.INT64);
    }

    /**
     * Tensors of shape (1, ids.length) for a text; valid until the next call.
     *
     * @param types the type of each token, or empty where all are 0
     */
    Map<String, OnnxTensor> of(int[] ids, int[] types) throws OrtException {
        reserve(ids.length);
        close();
        long[] shape = {1, ids.length};
        for (Slot slot : slots) {
            if (slot.kind == Kind.IDS || slot.kind == Kind.TYPES) {
                int[] values = slot.kind == Kind.IDS ? ids : types;
                for (int i = 0; i < ids.length; i++) {
                    slot.put(i, values.length == 0 ? 0 : values[i]);
                }
            }
            tensors.put(slot.name, tensor(slot, ids.length, shape));
        }
        return tensors;
    }

    private OnnxTensor tensor(Slot slot, int count, long[] shape) throws OrtException {
        return slot.wide
                ? OnnxTensor.createTensor(
                        environment, slot.buffer.asLongBuffer().limit(count), shape)
                : OnnxTensor.createTensor(environment, slot.buffer.asIntBuffer().limit(count), shape);
    }

    private void reserve(int count) {
        if (count <= capacity) {
            return;
        }
        capacity = Math.max(count, Math.min(2 * capacity, 1 << 20));
        for (Slot slot : slots) {
            slot.buffer = ByteBuffer.allocateDirect(
                            Math.multiplyExact(capacity, slot.wide ? Long.BYTES : Integer.BYTES))
                    .order(ByteOrder.nativeOrder());
            for (int i = 0; i < capacity; i++) {
                slot.put(
                        i,
                        switch (slot.kind) {
                            case MASK -> 1;
                            case POSITIONS -> firstPosition + i;
                            case IDS, TYPES -> 0;
                        });
            }
        }
    }

    /** Frees the tensors of the last text; the buffers stay. */
    @Override
    public void close() {
        tensors.values().forEach(OnnxTensor::close);
        tensors.clear();
    }
}
