package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The recurrent parts of a layer and their state. <em>Confined to one thread.</em> */
public final class Recurrence {

    private final Blocks b;
    private final int layer;
    private final String p;

    /** @param p before the names of its values, such as {@code layers.0.} */
    public Recurrence(Blocks b, int layer, String p) {
        this.b = b;
        this.layer = layer;
        this.p = p;
    }

    public int layer() {
        return layer;
    }

    /** The prefix of its values' names. */
    public String prefix() {
        return p;
    }

    /**
     * A causal convolution of each channel by itself, (batch, tokens, channels) to the same; its state is the last inputs.
     *
     * @param weight (channels, 1, kernel); a bias stored with it is added
     * @param activation by its name in configurations; {@code none} for none
     */
    public Value convolution(Value x, String weight, int channels, String activation) {
        boolean inside = activation.equals("silu") || activation.equals("swish"); // which the operator has
        int kernel = b.tensors.require(weight).dim(2);
        Value turned = b.op("Transpose", p + "conv.in", List.of(x), Map.of("perm", List.of(0, 2, 1)));
        Value kernels = b.graph.floats(
                p + "conv.weight", b.tensors.vectorLater(weight, channels * kernel), channels, 1, kernel);
        String bias = weight.replace(".weight", ".bias");
        Value biases = b.tensors.has(bias)
                ? b.graph.floats(p + "conv.bias", b.tensors.vectorLater(bias, channels), channels)
                : Value.NONE;
        Value mixed = b.lowering()
                .convolution(this, List.of(turned, kernels, biases), channels, kernel, inside ? "silu" : "none");
        Value out = inside || activation.equals("none") ? mixed : b.activation(activation, mixed, p + "conv.active");
        return b.op("Transpose", p + "conv", List.of(out), Map.of("perm", List.of(0, 2, 1)));
    }

    /** See {@link LinearAttention}; (batch, tokens, heads · valueWidth). */
    public Value linearAttention(LinearAttention attention) {
        return b.lowering().linearAttention(this, attention);
    }

    /** softplus(x + stored bias). */
    public Value step(Value x, String bias, int width) {
        Value stored = b.graph.floats(p + "dt.bias", b.tensors.vectorLater(bias, width), width);
        return b.op("Softplus", p + "dt", b.op("Add", p + "dt.raw", x, stored));
    }

    /** −exp of a stored logarithm. */
    public Value negativeExp(String log, int... shape) {
        int length = 1;
        long[] dims = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            length *= shape[i];
            dims[i] = shape[i];
        }
        Supplier<float[]> stored = b.tensors.vectorLater(log, length);
        return b.graph.floats(
                p + "A",
                () -> {
                    float[] values = stored.get();
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) -Math.exp(values[i]);
                    }
                    return values;
                },
                dims);
    }

    /** Heads of length 1: x / sqrt(sum x² + 1e-6), which is a root-mean-square norm over sqrt(width). */
    public Value unit(Value x, int heads, int width) {
        Norm norm = Norm.rms(1e-6 / width);
        Value normed = b.norm(norm, b.perToken(x, x.name() + ".each", heads, width), x.name() + ".rms", "", width);
        Value unit = b.op("Mul", x.name() + ".rms.unit", normed, b.constant(1 / Math.sqrt(width)));
        return b.perToken(unit, x.name() + ".unit", (long) heads * width);
    }

    /** Repeats groups for heads: (…, groups · width) to (…, heads · width), each group for consecutive heads. */
    public Value spread(Value x, int groups, int heads, int width) {
        if (groups == heads) {
            return x;
        }
        Value grouped = b.perToken(x, x.name() + ".groups", groups, 1, width);
        Value each = b.op("Mul", x.name() + ".each", grouped, b.vector("each." + heads / groups, 1, heads / groups));
        return b.perToken(each, x.name() + ".heads", (long) heads * width);
    }

    /** Repeats groups for heads in an interleaved order: head h uses group h mod groups. */
    public Value spreadInTurns(Value x, int groups, int heads, int width) {
        if (groups == heads) {
            return x;
        }
        Value one = b.perToken(x, x.name() + ".groups", 1, (long) groups * width);
        Value each = b.op("Mul", x.name() + ".each", one, b.vector("each." + heads / groups, 1, heads / groups));
        return b.perToken(each, x.name() + ".heads", (long) heads * width);
    }
}
