package dev.pollux.inference.internal.masked;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Attention over real tokens: softmax(q·kᵀ · scale + bias)·v with padding left out on either side.
 *
 * <p>Positions count from the first token of a row, padding included; this has no effect if only distances matter. q, k and
 * v are (batch, tokens, heads · head width). <em>Not thread-safe: one thread at a time.</em>
 */
public final class MaskedAttention {

    /** The addend to scores of masked tokens; the sum of two is still finite. */
    private static final float UNSEEN = -1e30f;

    /** The maximum number of rows in a rotary table. */
    private static final int MAX_POSITIONS = 1 << 17;

    private final Operators blocks;
    private final int heads;
    private final int headWidth;
    private final Map<String, Value> made = new HashMap<>();

    public MaskedAttention(Operators blocks, int heads, int headWidth) {
        this.blocks = blocks;
        this.heads = heads;
        this.headWidth = headWidth;
    }

    /**
     * Rotary settings.
     *
     * @param theta the base of the wavelengths
     */
    public record Rotary(double theta, RotaryScaling scaling) {}

    /** Attention with the usual scale, 1 / √headWidth. */
    public Value attend(List<Value> queryKeyValue, Value bias) {
        return attend(queryKeyValue, 1 / Math.sqrt(headWidth), bias);
    }

    /**
     * Attention with a scale of its own.
     *
     * @param bias (batch or 1, heads or 1, tokens, tokens), or {@link Value#NONE}
     */
    public Value attend(List<Value> queryKeyValue, double scale, Value bias) {
        return blocks.microsoft(
                "MultiHeadAttention",
                Map.of("num_heads", heads, "scale", (float) scale, "mask_filter_value", UNSEEN),
                queryKeyValue.get(0),
                queryKeyValue.get(1),
                queryKeyValue.get(2),
                Value.NONE,
                once("keys", () -> blocks.cast(Operators.MASK, ElementType.INT32)),
                bias);
    }

    /** The bias under which a token sees others at a distance of at most {@code window} to each side. */
    public Value window(int window) {
        return once("window " + window, () -> {
            Value far = blocks.op("Abs", Map.of(), distances());
            return hidden(blocks.op("Greater", Map.of(), far, blocks.integers(window)));
        });
    }

    /** The bias under which a token sees itself and those before it. */
    public Value causal() {
        return once("causal", () -> hidden(blocks.op("Less", Map.of(), distances(), blocks.integers(0))));
    }

    /** The bias under which a token sees itself and the {@code window} − 1 before it. */
    public Value causal(int window) {
        return once("causal " + window, () -> {
            Value after = blocks.op("Less", Map.of(), distances(), blocks.integers(0));
            Value far = blocks.op("GreaterOrEqual", Map.of(), distances(), blocks.integers(window));
            return hidden(blocks.op("Or", Map.of(), after, far));
        });
    }

    /** (tokens, tokens) of truth to a bias (1, 1, tokens, tokens). */
    private Value hidden(Value unseen) {
        Value bias = blocks.op("Where", Map.of(), unseen, blocks.number(UNSEEN), blocks.number(0));
        return blocks.op("Unsqueeze", Map.of(), bias, blocks.integers(0, 1));
    }

    /** The query's position (row) minus the key's (column); (tokens, tokens), integers. */
    public Value distances() {
        return once("distances", () -> {
            Value shape = blocks.op("Shape", Map.of("start", 1, "end", 2), Operators.IDS);
            Value count = blocks.op("Squeeze", Map.of(), shape);
            Value range = blocks.op("Range", Map.of(), blocks.scalar(0), count, blocks.scalar(1));
            Value rows = blocks.op("Unsqueeze", Map.of(), range, blocks.integers(1));
            return blocks.op("Sub", Map.of(), rows, range);
        });
    }

    /**
     * A value for each distance, looked up.
     *
     * @param values whole numbers for the distances −reach … reach, beyond which the outermost hold
     * @return (tokens, tokens), whole numbers
     */
    public Value byDistance(String name, long[] values) {
        return once(
                name, () -> blocks.op("Gather", Map.of("axis", 0), blocks.integers(values), clipped(values.length)));
    }

    /** Distances as indices into a table of 2 · reach + 1 entries. */
    private Value clipped(int entries) {
        int reach = entries / 2;
        Value low = blocks.scalar(-reach);
        Value within = blocks.op("Clip", Map.of(), distances(), low, blocks.scalar(reach));
        return blocks.add(within, blocks.integers(reach));
    }

    /**
     * x with pairs of components turned by their positions (RoFormer, Su et al., arXiv:2104.09864), halves paired.
     *
     * @param x (batch, tokens, count · headWidth)
     * @param turned how many components of a head are turned
     */
    public Value rotate(Value x, int count, int turned, Rotary rotary, int positions) {
        String name = "rotary " + rotary + " " + turned;
        Value cos = once(name + " cos", () -> table(name + " cos", rotary, turned, positions, true));
        Value sin = once(name + " sin", () -> table(name + " sin", rotary, turned, positions, false));
        return blocks.microsoft(
                "RotaryEmbedding",
                Map.of("num_heads", count, "rotary_embedding_dim", turned == headWidth ? 0 : turned),
                x,
                once("first position", () -> blocks.integers(0)),
                cos,
                sin);
    }

    private Value table(String name, Rotary rotary, int turned, int positions, boolean cosine) {
        int half = turned / 2;
        int rows = Math.min(positions, MAX_POSITIONS);
        return blocks.graph().floats(name, () -> angles(rotary, turned, rows, cosine), rows, half);
    }

    private static float[] angles(Rotary rotary, int turned, int rows, boolean cosine) {
        int half = turned / 2;
        double[] frequencies = new double[half];
        Arrays.setAll(frequencies, i -> Math.pow(rotary.theta(), -2.0 * i / turned));
        frequencies = rotary.scaling().apply(frequencies, rotary.theta());
        double factor = rotary.scaling().attentionFactor();
        float[] values = new float[Math.multiplyExact(rows, half)]; // (rows, half)
        for (int position = 0; position < rows; position++) {
            for (int i = 0; i < half; i++) {
                double angle = position * frequencies[i];
                values[position * half + i] = (float) (factor * (cosine ? Math.cos(angle) : Math.sin(angle)));
            }
        }
        return values;
    }

    /** Heads of k or v repeated for the queries that share them: (batch, tokens, heads · headWidth). */
    public Value repeat(Value x, int stored) {
        if (stored == heads) {
            return x;
        }
        Value apart = blocks.reshape(x, 0, 0, stored, 1, headWidth);
        Value wide = blocks.op("Expand", Map.of(), apart, blocks.integers(1, 1, 1, heads / stored, 1));
        return blocks.reshape(wide, 0, 0, (long) heads * headWidth);
    }

    /** x (batch, tokens, count · headWidth) with its heads apart: (batch, count, tokens, headWidth). */
    public Value apart(Value x, int count) {
        return blocks.op("Transpose", Map.of("perm", List.of(0, 2, 1, 3)), blocks.reshape(x, 0, 0, count, headWidth));
    }

    private Value once(String name, Supplier<Value> make) {
        Value known = made.get(name);
        if (known == null) {
            known = make.get();
            made.put(name, known);
        }
        return known;
    }
}
