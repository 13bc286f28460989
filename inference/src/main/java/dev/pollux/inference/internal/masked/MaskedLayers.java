package dev.pollux.inference.internal.masked;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Rotation and attention of described layers, through masks. <em>Confined to one thread.</em> */
public final class MaskedLayers {

    private static final float UNSEEN = -1e30f;

    private final Blocks b;
    private final Operators operators;
    private final boolean bidirectional;
    private final boolean open; // whether nothing but padding is hidden
    private final Map<List<Integer>, MaskedAttention> attentions = new HashMap<>();
    private final Map<String, Value> made = new HashMap<>();

    public MaskedLayers(Blocks b, Operators operators) {
        this.b = b;
        this.operators = operators;
        this.open = !b.settings.flag("is_causal", true);
        this.bidirectional = b.settings.flag("use_bidirectional_attention", false);
    }

    private Value once(String key, Supplier<Value> make) {
        Value known = made.get(key);
        if (known == null) {
            known = make.get();
            made.put(key, known);
        }
        return known;
    }

    // Rotation

    /** Positions count from the first token of a row, padding included: only distances matter. */
    public Value rotate(Value x, int heads, Rotary rotary) {
        String name = "rotary " + rotary.formula() + " " + rotary.width();
        Value cos = once(name + " cos", () -> table(name + " cos", rotary, true));
        Value sin = once(name + " sin", () -> table(name + " sin", rotary, false));
        Value first = rotary.switchLength() == 0
                ? once("first position", () -> operators.integers(0))
                : once("first row " + name, () -> firstRow(rotary));
        boolean whole = x.shape().size(-1) == (long) heads * rotary.width();
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("num_heads", heads);
        attributes.put("rotary_embedding_dim", whole ? 0 : rotary.width());
        if (rotary.interleaved()) {
            attributes.put("interleaved", 1);
        }
        return operators.microsoft("RotaryEmbedding", attributes, x, first, cos, sin);
    }

    /** The first row of the set for the batch's length. */
    private Value firstRow(Rotary rotary) {
        Value length = operators.op("Shape", Map.of("start", 1, "end", 2), Operators.IDS);
        Value isLong = operators.op("Greater", Map.of(), length, operators.integers(rotary.switchLength()));
        return operators.op("Where", Map.of(), isLong, operators.integers(b.contextLength), operators.integers(0));
    }

    private Value table(String name, Rotary rotary, boolean cosine) {
        int half = rotary.width() / 2;
        int sets = rotary.sets().size();
        int rows = b.contextLength;
        return b.graph.floats(
                name,
                () -> {
                    float[] values = new float[Math.multiplyExact(sets * rows, half)]; // (sets · rows, half)
                    for (int row = 0; row < sets * rows; row++) {
                        double[] frequencies = rotary.sets().get(row / rows);
                        for (int i = 0; i < half; i++) {
                            double angle = row % rows * frequencies[i];
                            values[row * half + i] =
                                    (float) (rotary.factor() * (cosine ? Math.cos(angle) : Math.sin(angle)));
                        }
                    }
                    return values;
                },
                (long) sets * rows,
                half);
    }

    // Attention

    public Value query(Attention a, Value q) {
        Value normed = a.normed(q, false);
        Value rotated =
                a.rotary().map(rotary -> rotate(normed, a.heads(), rotary)).orElse(normed);
        return a.queryFactors().isNone() ? rotated : operators.multiply(rotated, a.queryFactors());
    }

    public Value key(Attention a, Value k) {
        Value normed = a.normed(k, true);
        return a.rotary()
                .map(rotary -> rotate(normed, a.keyValueHeads(), rotary))
                .orElse(normed);
    }

    /** Attention over q, k and v as they are compared. */
    public Value attend(Attention a, Value query, Value key, Value value) {
        MaskedAttention masked = attentions.computeIfAbsent(
                List.of(a.heads(), a.width()), shape -> new MaskedAttention(operators, a.heads(), a.width()));
        Value k = masked.repeat(key, a.keyValueHeads());
        Value v = masked.repeat(value, a.keyValueHeads());
        Value bias = bias(a, masked);
        return a.softCap() > 0 || !a.sinks().isEmpty()
                ? plain(a, masked, List.of(query, k, v), bias)
                : masked.attend(List.of(query, k, v), a.scale(), bias);
    }

    private Value bias(Attention a, MaskedAttention masked) {
        if (open) {
            return Value.NONE;
        }
        if (bidirectional) {
            return a.window() > 0 ? masked.window(a.window() / 2) : Value.NONE;
        }
        return a.window() > 0 ? masked.causal(a.window()) : masked.causal();
    }

    /**
     * Attention without a fused operator: scores with a soft cap, and a sink, which is one more score per head whose share
     * is dropped. With m ≥ all scores, the shares are exp(s − m) / (Σ exp(s − m) + exp(sink − m)).
     */
    private Value plain(Attention a, MaskedAttention masked, List<Value> qkv, Value bias) {
        Value q = masked.apart(qkv.get(0), a.heads());
        Value k = operators.op("Transpose", Map.of("perm", List.of(0, 1, 3, 2)), masked.apart(qkv.get(1), a.heads()));
        Value scores = operators.multiply(operators.op("MatMul", Map.of(), q, k), operators.number(a.scale()));
        if (a.softCap() > 0) {
            Value within = operators.multiply(scores, operators.number(1 / a.softCap()));
            scores = operators.multiply(operators.op("Tanh", Map.of(), within), operators.number(a.softCap()));
        }
        scores = operators.add(scores, once("padding", this::padding));
        scores = bias.isNone() ? scores : operators.add(scores, bias);
        Value shares =
                a.sinks().isEmpty() ? operators.op("Softmax", Map.of("axis", -1), scores) : besideSink(a, scores);
        Value mixed = operators.op("MatMul", Map.of(), shares, masked.apart(qkv.get(2), a.heads()));
        Value turned = operators.op("Transpose", Map.of("perm", List.of(0, 2, 1, 3)), mixed);
        return operators.reshape(turned, 0, 0, (long) a.heads() * a.width());
    }

    private Value besideSink(Attention a, Value scores) {
        Value sinks = b.graph.floats(
                operators.fresh("sinks"), b.tensors.vectorLater(a.sinks(), a.heads()), 1, a.heads(), 1, 1);
        Value last = operators.integers(-1);
        Value largest = operators.op("ReduceMax", Map.of("keepdims", 1), scores, last);
        Value most = operators.op("Max", Map.of(), largest, sinks);
        Value each = operators.op("Exp", Map.of(), operators.op("Sub", Map.of(), scores, most));
        Value sum = operators.op("ReduceSum", Map.of("keepdims", 1), each, last);
        Value sink = operators.op("Exp", Map.of(), operators.op("Sub", Map.of(), sinks, most));
        return operators.op("Div", Map.of(), each, operators.add(sum, sink));
    }

    /** The addend to the scores of padding keys: (batch, 1, 1, tokens). */
    private Value padding() {
        Value real = operators.cast(Operators.MASK, ElementType.FLOAT);
        Value gone = operators.op("Sub", Map.of(), operators.number(1), real);
        Value bias = operators.multiply(gone, operators.number(UNSEEN));
        return operators.op("Unsqueeze", Map.of(), bias, operators.integers(1, 2));
    }
}
