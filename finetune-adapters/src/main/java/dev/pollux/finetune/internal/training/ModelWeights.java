package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.job.JobContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * The weights of a model as floats in direct memory. Those read first stay there up to a limit; others are read each time they
 * are needed. <em>Confined to one thread.</em>
 */
final class ModelWeights implements AutoCloseable {

    private final Memory memory;
    private final long limit;
    private final Map<String, FloatTensor> kept = new HashMap<>();
    private final Map<String, UnaryOperator<float[]>> changes;
    private long bytes;

    /**
     * Weights.
     *
     * @param limit the largest number of bytes to keep
     * @param changes by name, what is done to the values of a weight after they are read
     */
    ModelWeights(Memory memory, long limit, Map<String, UnaryOperator<float[]>> changes) {
        this.memory = memory;
        this.limit = limit;
        this.changes = Map.copyOf(changes);
    }

    /** Weights in memory until it is closed. */
    static final class Loaded implements AutoCloseable {

        private final Map<String, OnnxTensor> tensors = new HashMap<>();
        private final Map<String, FloatTensor> own = new HashMap<>();

        Map<String, OnnxTensor> tensors() {
            return tensors;
        }

        @Override
        public void close() {
            own.values().forEach(FloatTensor::close);
            own.clear();
        }
    }

    /** The weights {@code wanted}; the caller closes them before it loads others. */
    Loaded load(List<Weight> wanted, JobContext context) {
        Loaded loaded = new Loaded();
        try {
            for (Weight weight : wanted) {
                FloatTensor tensor = kept.get(weight.name());
                if (tensor == null) {
                    context.checkCancelled();
                    boolean stays = bytes + weight.bytes() <= limit;
                    tensor = read(weight, stays);
                    if (stays) {
                        bytes += weight.bytes();
                        kept.put(weight.name(), tensor);
                    } else {
                        loaded.own.put(weight.name(), tensor);
                    }
                }
                loaded.tensors.put(weight.name(), tensor.tensor());
            }
            return loaded;
        } catch (RuntimeException | Error e) {
            loaded.close();
            throw e;
        }
    }

    private FloatTensor read(Weight weight, boolean stays) {
        long[] shape =
                weight.shape().dims().stream().mapToLong(Shape.Dim::factor).toArray();
        FloatTensor tensor = stays ? memory.hold(shape) : memory.take(shape);
        FloatBuffer into = tensor.floats();
        weight.source().writeTo(piece -> {
            ByteBuffer bytesOfPiece = piece.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            into.put(bytesOfPiece.asFloatBuffer());
        });
        if (changes.containsKey(weight.name())) {
            tensor.set(Objects.requireNonNull(changes.get(weight.name())).apply(tensor.array()));
        }
        return tensor;
    }

    /** The number of bytes that stay in memory. */
    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        kept.values().forEach(FloatTensor::close);
        kept.clear();
        bytes = 0;
    }
}
