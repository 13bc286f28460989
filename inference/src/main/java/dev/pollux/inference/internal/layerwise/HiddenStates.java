package dev.pollux.inference.internal.layerwise;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.internal.OpenHandle;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
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

    /** The largest number of tokens of a batch of several texts. */
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
        /**
         * Receives the states of one text.
         *
         * @param states (tokens, width), the reader's own
         */
        void accept(int text, float[] states);
    }

    HiddenStates(List<int[]> texts) {
        this.texts = texts.size();
        List<Integer> byLength = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt(text -> texts.get(text).length))
                .toList();
        List<Integer> rows = new ArrayList<>();
        for (int i = 0; i < byLength.size(); i++) {
            rows.add(byLength.get(i));
            int length = texts.get(byLength.get(i)).length;
            boolean last = i + 1 == byLength.size() || texts.get(byLength.get(i + 1)).length != length;
            if (last || (long) (rows.size() + 1) * length > BATCH) {
                batches.add(new Batch(rows, texts));
                rows = new ArrayList<>();
            }
        }
    }

    /** The number of texts. */
    public int texts() {
        return texts;
    }

    /** The number of tokens of all texts. */
    public long tokens() {
        return batches.stream().mapToLong(batch -> batch.ids().length).sum();
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

    /** Texts of equal length in one run, so that there is no padding. */
    static final class Batch {

        private final List<Integer> rows;
        private final int tokens;
        private final long[] ids; // (batch, tokens)
        private final Map<String, OnnxTensor> values = new HashMap<>();

        Batch(List<Integer> rows, List<int[]> texts) {
            this.rows = List.copyOf(rows);
            this.tokens = texts.get(rows.get(0)).length;
            this.ids = rows.stream()
                    .flatMapToInt(text -> Arrays.stream(texts.get(text)))
                    .asLongStream()
                    .toArray();
        }

        long[] ids() {
            return ids;
        }

        /** The attention mask, (batch, tokens): there is no padding. */
        long[] mask() {
            long[] mask = new long[ids.length];
            Arrays.fill(mask, 1);
            return mask;
        }

        OnnxTensor tensor(long... values) {
            ByteBuffer bytes = Tensors.direct(Math.multiplyExact(values.length, Long.BYTES));
            bytes.asLongBuffer().put(values);
            return Tensors.over(bytes, ElementType.INT64, rows.size(), tokens);
        }

        /** A tensor of (batch, tokens, width). */
        OnnxTensor tensor(float[] values, int width) {
            ByteBuffer bytes = Tensors.direct(Math.multiplyExact(values.length, Float.BYTES));
            bytes.asFloatBuffer().put(values);
            return Tensors.over(bytes, ElementType.FLOAT, rows.size(), tokens, width);
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
            int size = all.remaining() / rows.size();
            for (int text : rows) {
                float[] states = new float[size];
                all.get(states);
                reader.accept(text, states);
            }
        }
    }
}
