package dev.pollux.inference.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.CancelledException;
import dev.pollux.ModelExecutionException;
import dev.pollux.inference.decoder.DecoderManifest.Kind;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.internal.OpenHandle;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of the decoder graph over some tokens: the tensors it binds and the call.
 *
 * <p>Everything a step touches is allocated once: the scalar inputs are rewritten in their direct buffers, every output is
 * pinned, and only a change of the number of tokens makes new tensor views over the same buffers. Creating them anew and
 * reading unpinned outputs costs more than a small model's arithmetic.
 */
final class DecoderStep implements AutoCloseable {

    private final DecoderModel model;
    private final OrtEnvironment environment = NativeRuntime.environment();
    private final KeyValueCache cache;
    private final RecurrentStates recurrent;
    private final OpenHandle handle;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private final IntBuffer lastIndex = direct(Integer.BYTES).asIntBuffer(); // (1): total - 1
    private final IntBuffer total = direct(Integer.BYTES).asIntBuffer(); // scalar
    private final LongBuffer rotaryOffset = direct(Long.BYTES).asLongBuffer(); // (1)
    private LongBuffer ids = direct(Long.BYTES).asLongBuffer(); // (S)
    private LongBuffer positions = direct(Long.BYTES).asLongBuffer(); // (NL), in [0, S)
    private FloatBuffer logits = direct(0).asFloatBuffer(); // (NL, vocabulary)
    private LoadedAdapter adapter;
    private volatile NativeRuntime.@Nullable RunGuard current;

    DecoderStep(DecoderModel model) {
        this.model = model;
        this.adapter = model.none();
        this.cache = new KeyValueCache(
                environment,
                model.manifest().states(Kind.KEY_VALUE),
                model.manifest().contextLength());
        this.recurrent = new RecurrentStates(environment, model.manifest().states(Kind.RECURRENT));
        this.handle = OpenHandle.of("DecoderSequence of " + model.manifest().name());
        bind("seqlens_k", lastIndex, 1);
        bind("total_sequence_length", total);
        if (model.manifest().rotarySwitch() > 0) {
            bind("rotary_offset", rotaryOffset, 1);
        }
    }

    void reserve(int capacity, int used) {
        cache.ensure(capacity, used, inputs, outputs);
    }

    /** What is added to the weights. */
    void use(LoadedAdapter newAdapter) {
        adapter = newAdapter;
        inputs.putAll(adapter.inputs());
    }

    /** The states that every step replaces. */
    RecurrentStates recurrent() {
        return recurrent;
    }

    /** Which of two sets of rotary tables holds, where the model has two. */
    void useLongRotary(boolean longContext) {
        rotaryOffset.put(0, longContext ? model.manifest().contextLength() : 0);
    }

    /**
     * Runs the graph.
     *
     * @param tokens (S), read at positions past … past + S − 1
     * @param past positions read before
     * @param logitsDue for how many of the last tokens logits are due, in [0, S]
     * @return (logitsDue, vocabulary), valid until the next run
     */
    FloatBuffer run(int[] tokens, int past, int logitsDue, BooleanSupplier interrupted) {
        prepare(tokens, past, logitsDue);
        OrtSession session = model.beginStep(adapter);
        try (NativeRuntime.RunGuard run = NativeRuntime.begin()) {
            current = run;
            if (interrupted.getAsBoolean()) {
                throw new CancelledException("The step was interrupted");
            }
            session.run(inputs, Set.of(), outputs, run.options()).close();
            recurrent.advance();
            return logits;
        } catch (OrtException e) {
            if (interrupted.getAsBoolean()) {
                throw new CancelledException("The step was interrupted", e);
            }
            throw new ModelExecutionException("A step of " + model.manifest().name() + " failed: " + e.getMessage(), e);
        } finally {
            current = null;
            model.endStep(adapter);
        }
    }

    /** Ends a run in progress, from any thread. */
    void terminate() {
        NativeRuntime.RunGuard run = current;
        if (run != null) {
            run.terminate();
        }
    }

    private void prepare(int[] tokens, int past, int logitsDue) {
        int count = tokens.length;
        if (ids.limit() != count || !inputs.containsKey("input_ids")) {
            ids = grown(ids, count);
            bind("input_ids", ids, 1, count);
        }
        for (int i = 0; i < count; i++) {
            ids.put(i, tokens[i]);
        }
        bindLogits(logitsDue);
        recurrent.bind(inputs, outputs);
        for (int i = 0; i < logitsDue; i++) {
            positions.put(i, count - logitsDue + i);
        }
        lastIndex.put(0, past + count - 1);
        total.put(0, past + count);
    }

    private void bindLogits(int due) {
        if (positions.limit() == due && inputs.containsKey("logits_index")) {
            return;
        }
        int vocabulary = model.manifest().vocabularySize();
        positions = grown(positions, due);
        int size = Math.multiplyExact(due, vocabulary);
        logits = size <= logits.capacity()
                ? logits.clear().limit(size)
                : direct(Math.multiplyExact(size, Float.BYTES)).asFloatBuffer();
        bind("logits_index", positions, due);
        replace(outputs, "logits", tensor(logits, 1, due, vocabulary));
    }

    private static LongBuffer grown(LongBuffer buffer, int count) {
        return count <= buffer.capacity()
                ? buffer.clear().limit(count)
                : direct(Math.multiplyExact(count, Long.BYTES)).asLongBuffer();
    }

    private void bind(String name, Buffer buffer, long... shape) {
        replace(inputs, name, tensor(buffer, shape));
    }

    private static void replace(Map<String, OnnxTensor> map, String name, OnnxTensor tensor) {
        OnnxTensor old = map.put(name, tensor);
        if (old != null) {
            old.close();
        }
    }

    private OnnxTensor tensor(Buffer buffer, long... shape) {
        try {
            if (buffer instanceof LongBuffer longs) {
                return OnnxTensor.createTensor(environment, longs, shape);
            }
            if (buffer instanceof IntBuffer ints) {
                return OnnxTensor.createTensor(environment, ints, shape);
            }
            return OnnxTensor.createTensor(environment, (FloatBuffer) buffer, shape);
        } catch (OrtException e) {
            throw new ModelExecutionException("Cannot create a tensor: " + e.getMessage(), e);
        }
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        for (String name :
                List.of("input_ids", "seqlens_k", "total_sequence_length", "logits_index", "rotary_offset")) {
            close(inputs.remove(name));
        }
        close(outputs.remove("logits"));
        cache.close();
        recurrent.close();
        handle.close();
    }

    private static void close(@Nullable OnnxTensor tensor) {
        if (tensor != null) {
            tensor.close();
        }
    }
}
