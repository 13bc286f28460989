package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.StateTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The recurrent parts of a layer, with their states. <em>Confined to one thread.</em> */
public final class Recurrence {

    private final Blocks b;
    private final int layer;
    private final String p;

    public Recurrence(Blocks b, int layer, String p) {
        this.b = b;
        this.layer = layer;
        this.p = p;
    }

    /**
     * A causal convolution of each channel for itself, (1, S, channels) to the same; its state are the last inputs.
     *
     * @param weight (channels, 1, kernel); the bias beside it counts where it is there
     * @param activation by its name in configurations; {@code none} for none
     */
    public String convolution(String x, String weight, int channels, String activation) {
        boolean inside = activation.equals("silu") || activation.equals("swish"); // what the operator has
        int kernel = b.tensors.require(weight).dim(2);
        StateTensor state = b.recurrent(layer, "conv", 1, channels, kernel - 1);
        String turned = b.graph.op("Transpose", p + "conv.in", List.of(x), Map.of("perm", List.of(0, 2, 1)));
        List<String> inputs = new ArrayList<>(List.of(
                turned,
                b.graph.floats(p + "conv.weight", b.tensors.vector(weight, channels * kernel), channels, 1, kernel)));
        String bias = weight.replace(".weight", ".bias");
        boolean biased = b.tensors.has(bias);
        inputs.add(biased ? b.graph.floats(p + "conv.bias", b.tensors.vector(bias, channels), channels) : "");
        inputs.add(state.input());
        b.graph.node(
                "CausalConvWithState",
                GraphWriter.MICROSOFT,
                inputs,
                List.of(p + "conv.out", state.output()),
                Map.of("activation", inside ? "silu" : "none"));
        String out = inside || activation.equals("none")
                ? p + "conv.out"
                : b.activation(activation, p + "conv.out", p + "conv.active");
        return b.graph.op("Transpose", p + "conv", List.of(out), Map.of("perm", List.of(0, 2, 1)));
    }

    /**
     * Linear attention with a decay: S ← exp(decay) S + k vᵀ, out = Sᵀ q · scale, for each head; with {@code beta} the gated
     * delta rule, S ← exp(decay) S, S ← S + k (beta (v − Sᵀ k))ᵀ (Yang et al., arXiv:2412.06464).
     *
     * @param q (1, S, heads · keyWidth), as k is
     * @param v (1, S, heads · valueWidth)
     * @param decay natural logarithms, (1, S, heads) or (1, S, heads · keyWidth)
     * @param beta (1, S, heads); empty for none
     */
    public String linearAttention(
            String q,
            String k,
            String v,
            String decay,
            String beta,
            int heads,
            int keyWidth,
            int valueWidth,
            double scale) {
        StateTensor state = b.recurrent(layer, "scan", 1, heads, keyWidth, valueWidth);
        List<String> inputs = new ArrayList<>(List.of(q, k, v, state.input(), decay));
        if (!beta.isEmpty()) {
            inputs.add(beta);
        }
        b.graph.node(
                "LinearAttention",
                GraphWriter.MICROSOFT,
                inputs,
                List.of(p + "scan", state.output()),
                Map.of(
                        "q_num_heads",
                        heads,
                        "kv_num_heads",
                        heads,
                        "update_rule",
                        beta.isEmpty() ? "gated" : "gated_delta",
                        "scale",
                        (float) scale));
        return p + "scan";
    }

    /** softplus(x + stored bias). */
    public String step(String x, String bias, int width) {
        String name = b.graph.floats(p + "dt.bias", b.tensors.vector(bias, width), width);
        return b.op("Softplus", p + "dt", b.op("Add", p + "dt.raw", x, name));
    }

    /** −exp of a stored logarithm. */
    public String negativeExp(String log, int... shape) {
        int length = 1;
        long[] dims = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            length *= shape[i];
            dims[i] = shape[i];
        }
        float[] values = b.tensors.vector(log, length);
        for (int i = 0; i < length; i++) {
            values[i] = (float) -Math.exp(values[i]);
        }
        return b.graph.floats(p + "A", values, dims);
    }

    /** Groups spread over heads: (1, S, groups · width) to (1, S, heads · width), each group for consecutive heads. */
    public String spread(String x, int groups, int heads, int width) {
        if (groups == heads) {
            return x;
        }
        String grouped = b.reshaped(x, x + ".groups", 0, -1, groups, 1, width);
        String each = b.op("Mul", x + ".each", grouped, b.vector("each." + heads / groups, 1, heads / groups));
        return b.reshaped(each, x + ".heads", 0, -1, (long) heads * width);
    }

    /** The same, each group for every so many-th head: head h is of group h mod groups. */
    public String spreadInTurns(String x, int groups, int heads, int width) {
        if (groups == heads) {
            return x;
        }
        String one = b.reshaped(x, x + ".groups", 0, -1, 1, (long) groups * width);
        String each = b.op("Mul", x + ".each", one, b.vector("each." + heads / groups, 1, heads / groups));
        return b.reshaped(each, x + ".heads", 0, -1, (long) heads * width);
    }
}
