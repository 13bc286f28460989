package dev.pollux.inference.decoder;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.SlidingRows;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Head;
import dev.pollux.inference.internal.layer.Linear;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Lowering;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Lowers an architecture to the engine's graph: fused operators, states as inputs and outputs, and matrices in the format
 * set by the options. A step reads S tokens of each of B sequences. <em>Confined to one thread.</em>
 */
final class CachedLowering implements Lowering {

    private static final long MOST_ANGLES = 1 << 28;
    private static final String EMBEDDING = "embedding";

    /** The number of sequences in a step. */
    static final String BATCH = "B";

    /** A size of a state that the engine sets. */
    private static final int OPEN = -1;

    private final Blocks b;
    private final GraphBuilder graph;
    private final MatrixWeights matrices;
    private final ElementType cache;
    private final CachedAttention attention;
    private final Value ids;
    private final Value total;
    private final Value read;
    private final Value logitsIndex;
    private final List<StateTensor> states = new ArrayList<>();
    private final Map<String, Value> constants = new HashMap<>();
    private final Map<Rotary, Tables> tables = new HashMap<>();
    private Value positions = Value.NONE;
    private int rotarySwitch;

    /**
     * Rotary tables in the graph.
     *
     * @param rows the row of each token, (B, S), if it differs from the position
     */
    record Tables(Value cos, Value sin, Value rows) {}

    CachedLowering(Blocks b, ExportOptions options) {
        if (b.settings.flag("use_bidirectional_attention", false)) {
            throw new UnsupportedModelException(b.settings.file()
                    + ": use_bidirectional_attention is true, so the model sees the text after a token and cannot write;"
                    + " open it as an embedder");
        }
        this.b = b;
        this.graph = b.graph;
        this.cache = options.cache().type();
        this.matrices = new MatrixWeights(graph, b.tensors, options);
        this.ids = graph.input("input_ids", ElementType.INT64, BATCH, "S");
        this.read = graph.input("seqlens_k", ElementType.INT32, BATCH);
        this.total = graph.input("total_sequence_length", ElementType.INT32);
        this.logitsIndex = graph.input("logits_index", ElementType.INT64, "NL");
        graph.output("logits", ElementType.FLOAT, BATCH, "NL", b.config.vocabularySize());
        this.attention = new CachedAttention(b, this, options);
    }

    /** The tensors that are carried from step to step. */
    List<StateTensor> states() {
        return states;
    }

    /** The value for the manifest. */
    int rotarySwitch() {
        return rotarySwitch;
    }

    List<MatrixUse> matrixUses() {
        return matrices.uses();
    }

    Value total() {
        return total;
    }

    /** The index of each sequence's last token, int32 (B). */
    Value lastIndex() {
        return read;
    }

    @Override
    public String name(String kind, String hint) {
        return hint;
    }

    @Override
    public Value constant(String kind, String key, Function<String, Value> make) {
        Value known = constants.get(key);
        if (known == null) {
            known = make.apply(key);
            constants.put(key, known);
        }
        return known;
    }

    @Override
    public long[] tokenShape(long... rest) {
        long[] shape = new long[rest.length + 2];
        shape[1] = -1;
        System.arraycopy(rest, 0, shape, 2, rest.length);
        return shape;
    }

    @Override
    public Value byToken(Value flat, String output, int width) {
        String name = "tokens.shape";
        Value outer = constant("shape", name, key -> b.op("Shape", key, ids));
        Value shape = constant(
                "shape",
                name + "." + width,
                key -> b.op("Concat", key, List.of(outer, b.integers("width." + width, width)), Map.of("axis", 0)));
        return graph.declared(b.op("Reshape", output, flat, shape), BATCH, "S", width);
    }

    // Matrices

    @Override
    public Value embed(String output, StackedMatrix table) {
        return matrices.embed(ids, output, table);
    }

    @Override
    public Value linear(Value x, String output, Linear linear) {
        return matrices.linear(x, output, linear);
    }

    @Override
    public void readBy(double share) {
        matrices.readBy(share);
    }

    @Override
    public Value logits(Value normed, Head head) {
        Value chosen = b.op("Gather", "chosen", List.of(normed, logitsIndex), Map.of("axis", 1));
        Value raw = matrices.head(chosen, head.isPlain() ? "logits" : "logits.raw", EMBEDDING, head);
        if (head.isPlain()) {
            return raw;
        }
        if (head.cap() == 0) {
            return b.op("Mul", "logits", raw, b.constant(head.factor()));
        }
        Value scaled = b.op("Mul", "logits.scaled", raw, b.constant(head.factor() / head.cap()));
        return b.op("Mul", "logits", b.op("Tanh", "logits.tanh", scaled), b.constant(head.cap()));
    }

    // Norms

    @Override
    public Value normWeight(Norm norm, String output, String weight, int width) {
        return graph.floats(output + ".weight", b.normWeight(norm, weight, width), width);
    }

    @Override
    public List<Value> normOfSum(Value x, Value y, Norm norm, String output, String weight, String sum) {
        Value scale = normWeight(norm, output, weight, b.config.hiddenSize());
        List<Value> results = b.fused(
                "SkipSimplifiedLayerNormalization",
                List.of(x, y, scale),
                List.of(output, "", "", sum),
                Map.of("epsilon", (float) norm.epsilon()));
        return List.of(results.get(0), results.get(3));
    }

    // Positions

    /** The position of each token, (B, S): 1 − S … 0, plus the position of the sequence's last token. */
    Value positions() {
        if (positions.isNone()) {
            Value axis = b.integers("axis.1", 1);
            Value one = b.op("Squeeze", "one.scalar", graph.integers("one", 1));
            Value count = b.op("Squeeze", "S", b.op("Shape", "S.shape", List.of(ids), Map.of("start", 1, "end", 2)));
            Value toLast = b.op("Range", "positions.to.last", b.op("Sub", "first", one, count), one, one); // (S)
            Value last = b.op("Cast", "last", List.of(read), Map.of("to", ElementType.INT64.code()));
            Value each = b.op("Unsqueeze", "last.each", last, axis); // (B, 1)
            positions = graph.declared(b.op("Add", "positions", each, toLast), BATCH, "S");
        }
        return positions;
    }

    @Override
    public Value byPosition(String name, Supplier<float[]> table, int rows, int width) {
        Value stored = graph.floats(name + ".table", table, rows, width);
        return b.op("Gather", name, List.of(stored, positions()), Map.of("axis", 0));
    }

    @Override
    public void declare(Rotary rotary) {
        String name = rotary.name();
        Value cos = table(name + ".cos", rotary, true);
        Value sin = table(name + ".sin", rotary, false);
        Value rows = Value.NONE;
        if (rotary.switchLength() > 0) {
            Value offset = graph.input("rotary_offset", ElementType.INT64, BATCH);
            rotarySwitch = rotary.switchLength();
            Value each = b.op("Unsqueeze", name + ".offset", offset, b.integers("axis.1", 1)); // (B, 1)
            rows = b.op("Add", name + ".rows", positions(), each);
        }
        tables.put(rotary, new Tables(cos, sin, rows));
    }

    /** Cosines or sines, (sets · contextLength, frequencies). */
    private Value table(String name, Rotary rotary, boolean cosine) {
        int half = rotary.width() / 2;
        int rows = rotary.sets().size() * b.contextLength;
        if ((long) rows * half > MOST_ANGLES) {
            throw new UnsupportedModelException(b.settings.file() + ": rotary tables of " + rows + " positions and "
                    + half + " frequencies are larger than " + MOST_ANGLES
                    + " numbers; lower maxContext of the export");
        }
        return graph.floats(
                name,
                () -> {
                    float[] values = new float[rows * half];
                    for (int row = 0; row < rows; row++) {
                        float position = row % b.contextLength;
                        double[] frequencies = rotary.sets().get(row / b.contextLength);
                        for (int i = 0; i < half; i++) {
                            // the reference multiplies in single precision
                            double angle = position * (float) frequencies[i];
                            double value = cosine ? Math.cos(angle) : Math.sin(angle);
                            values[row * half + i] = (float) (value * rotary.factor());
                        }
                    }
                    return values;
                },
                rows,
                half);
    }

    Tables tables(Rotary rotary) {
        Tables found = tables.get(rotary);
        if (found == null) {
            throw new IllegalStateException(rotary.name() + " was not declared");
        }
        return found;
    }

    @Override
    public Value rotate(Value x, int heads, Rotary rotary) {
        Tables at = tables(rotary);
        Value rows = at.rows().isNone() ? positions() : at.rows();
        return b.fused(
                "RotaryEmbedding",
                x.name() + ".rotated",
                List.of(x, rows, at.cos(), at.sin()),
                Map.of(
                        "num_heads",
                        heads,
                        "rotary_embedding_dim",
                        rotary.width(),
                        "interleaved",
                        rotary.interleaved() ? 1 : 0));
    }

    // Attention

    @Override
    public Value attend(Attention described, Value queryKeyValue) {
        return attention.attend(described, queryKeyValue);
    }

    @Override
    public Value attend(Attention described, Value query, Value key, Value value) {
        return attention.attendPrepared(described, query, attention.key(described, key), value);
    }

    @Override
    public Value attendPrepared(Attention described, Value query, Value key, Value value) {
        return attention.attendPrepared(described, query, key, value);
    }

    @Override
    public Value key(Attention described, Value key) {
        return attention.key(described, key);
    }

    /** A state: its input, and the name of its output. */
    record State(Value input, String output) {}

    /** Declares the inputs and outputs for keys and values of a layer, all of them or those of a window. */
    List<State> keyValues(int layer, int heads, Optional<SlidingRows> window, int width) {
        List<State> both = new ArrayList<>();
        for (String part : List.of("key", "value")) {
            StateTensor state = new StateTensor(
                    "past_key_values." + layer + "." + part,
                    "present." + layer + "." + part,
                    window.isPresent() ? Kind.WINDOW : Kind.KEY_VALUE,
                    List.of(OPEN, heads, window.map(SlidingRows::capacity).orElse(OPEN), width),
                    cache);
            String mark = window.isPresent() ? "W" : "";
            Value input = graph.input(state.input(), cache, BATCH, heads, "P" + mark, width);
            graph.output(state.output(), cache, BATCH, heads, "T" + mark, width);
            states.add(state);
            both.add(new State(input, state.output()));
        }
        return both;
    }

    /**
     * Declares a state of fixed size that every step replaces.
     *
     * @param sizes the dimensions after the first, which is that of the sequences
     */
    private State recurrent(int layer, String part, Integer... sizes) {
        List<Integer> shape = new ArrayList<>(List.of(OPEN));
        List<Object> dims = new ArrayList<>(List.of(BATCH));
        for (Integer size : sizes) {
            shape.add(size);
            dims.add(size);
        }
        StateTensor state = new StateTensor(
                "past_states." + layer + "." + part, "present_states." + layer + "." + part, Kind.RECURRENT, shape);
        Value input = graph.input(state.input(), ElementType.FLOAT, dims.toArray());
        graph.output(state.output(), ElementType.FLOAT, dims.toArray());
        states.add(state);
        return new State(input, state.output());
    }

    // Recurrences

    @Override
    public Value convolution(Recurrence recurrence, List<Value> inputs, int channels, int kernel, String activation) {
        State state = recurrent(recurrence.layer(), "conv", channels, kernel - 1);
        List<Value> all = new ArrayList<>(inputs);
        all.add(state.input());
        return b.fused(
                        "CausalConvWithState",
                        all,
                        List.of(recurrence.prefix() + "conv.out", state.output()),
                        Map.of("activation", activation))
                .get(0);
    }

    @Override
    public Value linearAttention(Recurrence recurrence, LinearAttention described) {
        int heads = described.heads();
        State state = recurrent(recurrence.layer(), "scan", heads, described.keyWidth(), described.valueWidth());
        List<Value> inputs =
                new ArrayList<>(List.of(described.q(), described.k(), described.v(), state.input(), described.decay()));
        if (!described.beta().isNone()) {
            inputs.add(described.beta());
        }
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("q_num_heads", heads);
        attributes.put("kv_num_heads", heads);
        attributes.put("update_rule", described.beta().isNone() ? "gated" : "gated_delta");
        attributes.put("scale", (float) described.scale());
        return b.fused("LinearAttention", inputs, List.of(recurrence.prefix() + "scan", state.output()), attributes)
                .get(0);
    }
}
