package dev.pollux.finetune.internal.training;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.inference.internal.masked.Operators;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Positions of tokens, which are inputs of a graph, and what depends on them. <em>Confined to one thread.</em> */
final class TokenPositions {

    static final String POSITIONS = "positions";

    private final GraphBuilder graph;
    private final Operators operators;
    private final int contextLength;
    private final Map<String, Value> made = new HashMap<>();
    private final Map<String, Integer> lengths = new HashMap<>(); // by input, up to where it uses its first frequencies

    TokenPositions(GraphBuilder graph, Operators operators, int contextLength) {
        this.graph = graph;
        this.operators = operators;
        this.contextLength = contextLength;
    }

    /** The inputs of positions with the length up to which each uses its first set of frequencies; 0 for one set. */
    Map<String, Integer> lengths() {
        return lengths;
    }

    private Value once(String key, Supplier<Value> make) {
        Value known = made.get(key);
        if (known == null) {
            known = make.get();
            made.put(key, known);
        }
        return known;
    }

    private Value positions(String name, int length) {
        return once(name, () -> {
            lengths.put(name, length);
            return graph.input(name, ElementType.INT64, 1, "tokens");
        });
    }

    /** The rows of a table, (count, width), at the tokens' positions. */
    Value rows(String name, Supplier<float[]> values, int count, int width) {
        Value stored = once(name + ".table", () -> graph.floats(name + ".table", values, count, width));
        return operators.op("Gather", Map.of("axis", 0), stored, positions(POSITIONS, 0));
    }

    /** Queries or keys, (1, tokens, heads · width), turned by their positions. */
    Value rotated(Value x, int heads, Rotary rotary) {
        String name = "rotary " + rotary.formula() + " " + rotary.width();
        Value cos = once(name + " cos", () -> table(name + " cos", rotary, true));
        Value sin = once(name + " sin", () -> table(name + " sin", rotary, false));
        Value at = positions(rotary.switchLength() == 0 ? POSITIONS : POSITIONS + " " + name, rotary.switchLength());
        boolean whole = x.shape().size(-1) == (long) heads * rotary.width();
        Map<String, Object> attributes = new HashMap<>();
        attributes.put("num_heads", heads);
        attributes.put("rotary_embedding_dim", whole ? 0 : rotary.width());
        if (rotary.interleaved()) {
            attributes.put("interleaved", 1);
        }
        return operators.microsoft("RotaryEmbedding", attributes, x, at, cos, sin);
    }

    private Value table(String name, Rotary rotary, boolean cosine) {
        int half = rotary.width() / 2;
        int all = rotary.sets().size() * contextLength;
        return graph.floats(
                name,
                () -> {
                    float[] values = new float[Math.multiplyExact(all, half)]; // (sets · length, half)
                    for (int row = 0; row < all; row++) {
                        double[] frequencies = rotary.sets().get(row / contextLength);
                        for (int i = 0; i < half; i++) {
                            double angle = row % contextLength * frequencies[i];
                            values[row * half + i] =
                                    (float) (rotary.factor() * (cosine ? Math.cos(angle) : Math.sin(angle)));
                        }
                    }
                    return values;
                },
                all,
                half);
    }
}
