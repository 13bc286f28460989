package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A bias of each key in the scores of attention, the same for all queries: as ALiBi (Press et al., arXiv:2108.12409), whose
 * slope · (j − i) differs from slope · j by a number that the softmax drops.
 *
 * <p>Queries get one more component, 1, and keys one more, bias / scale, so that any kernel of attention adds it.
 */
public final class KeyBias {

    private KeyBias() {}

    /**
     * Attention whose scores are q·k · scale + bias.
     *
     * @param attention without rotation and norms
     * @param qkv q, k and v, each (batch, tokens, its heads · width)
     * @param bias of each key and head, (batch, tokens, key and value heads)
     */
    public static Value attend(Blocks b, Attention attention, List<Value> qkv, Value bias) {
        int heads = attention.heads();
        int few = attention.keyValueHeads();
        int width = attention.width();
        double scale = attention.scale();
        String p = attention.prefix();
        Value own = b.perToken(b.op("Mul", p + "key.bias.flat", bias, b.constant(1 / scale)), p + "key.bias", few, 1);
        Value k = b.op(
                "Concat",
                p + "k.biased.each",
                List.of(b.perToken(qkv.get(1), p + "k.unbiased", few, width), own),
                Map.of("axis", -1));
        attention.heads(heads, few, width + 1).scale(scale);
        Value attended = attention.attend(
                extended(b, qkv.get(0), heads, width, b.constant(1)),
                b.perToken(k, p + "k.biased", (long) few * (width + 1)),
                extended(b, qkv.get(2), few, width, Value.NONE));
        Value byHead = b.perToken(attended, p + "attended.heads", heads, width + 1);
        List<Value> parts = b.split(byHead, List.of(p + "attended.values", p + "attended.rest"), width, 1);
        return b.perToken(parts.get(0), p + "attended", (long) heads * width);
    }

    /** Each head with one more component, {@code last}, or 0 if there is none. */
    private static Value extended(Blocks b, Value x, int heads, int width, Value last) {
        String name = x.name();
        Value byHead = b.perToken(x, name + ".one", heads, width);
        List<Value> inputs =
                new ArrayList<>(List.of(byHead, b.graph.integers(name + ".one.pads", 0, 0, 0, 0, 0, 0, 0, 1)));
        if (!last.isNone()) {
            inputs.add(b.reshaped(last, name + ".last"));
        }
        Value wide = b.op("Pad", name + ".one.more", inputs, Map.of());
        return b.perToken(wide, name + ".extended", (long) heads * (width + 1));
    }

    /** The biases slope · position of ALiBi, (batch, tokens, heads); the tables of all layers are one. */
    public static Value alibi(Blocks b, double[] slopes, boolean halfPrecision) {
        int rows = b.contextLength;
        Supplier<float[]> table = () -> {
            float[] values = new float[Math.multiplyExact(rows, slopes.length)]; // (rows, heads)
            for (int i = 0; i < values.length; i++) {
                int position = i / slopes.length;
                float slope = (float) slopes[i % slopes.length];
                values[i] = halfPrecision ? bfloat16(bfloat16(slope) * bfloat16(position)) : slope * position;
            }
            return values;
        };
        return b.lowering().byPosition("alibi", table, rows, slopes.length);
    }

    /** The nearest number of bfloat16, ties to even. */
    public static float bfloat16(float value) {
        int bits = Float.floatToIntBits(value);
        return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
    }

    /** The slopes of ALiBi: powers of 2^(−8 / n) for the largest power of two n, then every other one for 2 n. */
    public static double[] slopes(int heads) {
        int power = Integer.highestOneBit(heads);
        double[] slopes = new double[heads];
        for (int head = 0; head < heads; head++) {
            slopes[head] = head < power
                    ? Math.pow(2, -8.0 * (head + 1) / power)
                    : Math.pow(2, -8.0 * (2 * (head - power) + 1) / (2 * power));
        }
        return slopes;
    }
}
