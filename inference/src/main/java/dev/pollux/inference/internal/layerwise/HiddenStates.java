package dev.pollux.inference.internal.layerwise;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.internal.OpenHandle;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The hidden states of texts between two layers, in native memory: {@link LayerRunner#embed} makes them, and each {@link
 * LayerRunner.Layer#advance} replaces them. The caller closes them. <em>Confined to one thread.</em>
 */
public final class HiddenStates implements AutoCloseable {

    /** The number of tokens of a batch, padding included, unless one text is longer. */
    private static final int BATCH = 2048;

    private final int texts;
    private final List<Batch> batches = new ArrayList<>();
    private final OpenHandle handle = OpenHandle.of("HiddenStates");
    private String stream = "";
    private int done;
    private boolean closed;

    /** Receives the states of one text. */
    @FunctionalInterface
    public interface Reader {
        /** @param states (tokens, width), the reader's own */
        void accept(int text, float[] states);
    }

    /** @param rotarySwitch texts up to this length and longer ones are in different batches; 0 for no such limit */
    HiddenStates(List<int[]> texts, int rotarySwitch) {
        this.texts = texts.size();
        List<Integer> byLength = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt(text -> texts.get(text).length))
                .toList();
        List<Integer> rows = new ArrayList<>();
        for (int text : byLength) {
            int length = texts.get(text).length;
            boolean full = (long) (rows.size() + 1) * length > BATCH;
            boolean switched = !rows.isEmpty()
                    && rotarySwitch > 0
                    && length > rotarySwitch
                    && texts.get(rows.get(0)).length <= rotarySwitch;
            if (!rows.isEmpty() && (full || switched)) {
                batches.add(new Batch(rows, texts));
                rows = new ArrayList<>();
            }
            rows.add(text);
        }
        if (!rows.isEmpty()) {
            batches.add(new Batch(rows, texts));
        }
    }

    /** The number of texts. */
    public int texts() {
        return texts;
    }

    /** The next layer to run; the number of layers after the last, and one more after the last norm. */
    public int next() {
        return done - 1;
    }

    List<Batch> batches() {
        return batches;
    }

    /** Counts a part as done; {@code newStream} is the name of the stream after it. */
    void finish(String newStream) {
        done++;
        stream = newStream;
    }

    /** Reads the states of all texts, in no particular order. */
    public void forEach(Reader reader) {
        if (closed) {
            throw new IllegalStateException("hidden states must not be read after they were closed");
        }
        for (Batch batch : batches) {
            batch.read(stream, reader);
        }
    }

    @Override
    public void close() {
        closed = true;
        batches.forEach(batch -> batch.keep(List.of()));
        handle.close();
    }

    /** Texts in one run, the shorter ones with padding at their ends. */
    static final class Batch {

        private final List<Integer> rows;
        private final int[] lengths;
        private final int tokens;
        private final long[] ids; // (batch, tokens)
        private final Map<String, OnnxTensor> values = new HashMap<>();

        Batch(List<Integer> rows, List<int[]> texts) {
            this.rows = List.copyOf(rows);
            this.lengths =
                    rows.stream().mapToInt(text -> texts.get(text).length).toArray();
            this.tokens = IntStream.of(lengths).max().orElse(0);
            this.ids = new long[rows.size() * tokens];
            for (int row = 0; row < lengths.length; row++) {
                for (int i = 0; i < lengths[row]; i++) {
                    ids[row * tokens + i] = texts.get(rows.get(row))[i];
                }
            }
        }

        long[] ids() {
            return ids;
        }

        /** The attention mask: 1 for tokens, 0 for padding; (batch, tokens). */
        long[] mask() {
            long[] mask = new long[ids.length];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = i % tokens < lengths[i / tokens] ? 1 : 0;
            }
            return mask;
        }

        OnnxTensor tensor(long... values) {
            ByteBuffer bytes = Tensors.direct(Math.multiplyExact(values.length, Long.BYTES));
            bytes.asLongBuffer().put(values);
            return Tensors.over(bytes, ElementType.INT64, lengths.length, tokens);
        }

        /** A tensor of (batch, tokens, width). */
        OnnxTensor tensor(float[] values, int width) {
            ByteBuffer bytes = Tensors.direct(Math.multiplyExact(values.length, Float.BYTES));
            bytes.asFloatBuffer().put(values);
            return Tensors.over(bytes, ElementType.FLOAT, lengths.length, tokens, width);
        }

        Map<String, OnnxTensor> values() {
            return values;
        }

        void put(String name, OnnxTensor value) {
            values.put(name, value);
        }

        /** Frees all values but these. */
        void keep(Collection<String> names) {
            values.entrySet().removeIf(entry -> {
                boolean gone = !names.contains(entry.getKey());
                if (gone) {
                    entry.getValue().close();
                }
                return gone;
            });
        }

        void read(String name, Reader reader) {
            FloatBuffer all = Objects.requireNonNull(values.get(name)).getFloatBuffer();
            int width = all.remaining() / Math.max(1, ids.length);
            for (int row = 0; row < lengths.length; row++) {
                float[] states = new float[lengths[row] * width];
                all.get(row * tokens * width, states);
                reader.accept(rows.get(row), states);
            }
        }

        /**
         * The rows of {@code tensor} that belong to tokens.
         *
         * @param tensor (batch, tokens, width) or (batch · tokens, width)
         */
        float[] rows(OnnxTensor tensor, int width) {
            FloatBuffer all = tensor.getFloatBuffer();
            float[] chosen = new float[Math.multiplyExact(IntStream.of(lengths).sum(), width)];
            int at = 0;
            for (int row = 0; row < lengths.length; row++) {
                all.get(row * tokens * width, chosen, at, lengths[row] * width);
                at += lengths[row] * width;
            }
            return chosen;
        }
    }
}
