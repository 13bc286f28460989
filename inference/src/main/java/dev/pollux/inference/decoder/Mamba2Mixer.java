package dev.pollux.inference.decoder;

import java.util.List;

/**
 * The mixer of Mamba-2 (Dao and Gu, arXiv:2405.21060), as several families have it.
 *
 * @param at before its tensors' names
 * @param heads heads, each with one decay
 * @param headWidth channels of a head
 * @param groups groups of heads that share B and C
 * @param stateSize width of B and C
 * @param normGroups how many groups the gated norm has
 * @param leastStep least step after the softplus
 * @param mostStep largest step; infinite for none
 */
record Mamba2Mixer(
        String at,
        int heads,
        int headWidth,
        int groups,
        int stateSize,
        int normGroups,
        double epsilon,
        double leastStep,
        double mostStep) {

    /** in_proj gives [gate | x, B, C | dt]; x, B and C go through the convolution. */
    String write(Blocks b, int layer, String p, String normed) {
        int hidden = b.config.hiddenSize();
        int inner = heads * headWidth;
        int shared = groups * stateSize;
        Recurrence r = new Recurrence(b, layer, p);
        String all = b.project(normed, p + "in", at + "in_proj.weight", 2 * inner + 2 * shared + heads, hidden);
        b.split(all, List.of(p + "z", p + "xBC", p + "dt.in"), inner, inner + 2 * shared, heads);
        String mixed = r.convolution(p + "xBC", at + "conv1d.weight", inner + 2 * shared, "silu");
        b.split(mixed, List.of(p + "x", p + "B", p + "C"), inner, shared, shared);
        String step = limited(b, p, r.step(p + "dt.in", at + "dt_bias", heads));
        String decay = b.op("Mul", p + "decay", step, r.negativeExp(at + "A_log", heads));
        String byHead = b.reshaped(p + "x", p + "x.heads", 0, -1, heads, headWidth);
        String stepByHead = b.reshaped(step, p + "dt.heads", 0, -1, heads, 1);
        String value = b.reshaped(b.op("Mul", p + "x.dt", byHead, stepByHead), p + "v", 0, -1, inner);
        String scan = r.linearAttention(
                r.spread(p + "C", groups, heads, stateSize),
                r.spread(p + "B", groups, heads, stateSize),
                value,
                decay,
                "",
                heads,
                stateSize,
                headWidth,
                1);
        String d = b.graph.floats(p + "D", b.tensors.vector(at + "D", heads), heads, 1);
        String skip = b.reshaped(b.op("Mul", p + "x.D", byHead, d), p + "skip", 0, -1, inner);
        String y = b.op(
                "Mul", p + "y.gated", b.op("Add", p + "y", scan, skip), b.activation("silu", p + "z", p + "z.silu"));
        return b.project(normed(b, p, y, inner), p + "out", at + "out_proj.weight", hidden, inner);
    }

    private String limited(Blocks b, String p, String step) {
        String least = leastStep <= 0 ? step : b.op("Max", p + "dt.least", step, b.constant(leastStep));
        return Double.isInfinite(mostStep) ? least : b.op("Min", p + "dt.most", least, b.constant(mostStep));
    }

    private String normed(Blocks b, String p, String y, int inner) {
        Norm norm = Norm.rms(epsilon);
        if (normGroups == 1) {
            return b.norm(norm, y, p + "y.normed", at + "norm.weight", inner);
        }
        int width = inner / normGroups;
        String plain = b.norm(norm, b.reshaped(y, p + "y.groups", 0, -1, normGroups, width), p + "y.plain", "", width);
        String weight = b.graph.floats(p + "y.weight", b.tensors.vector(at + "norm.weight", inner), inner);
        return b.op("Mul", p + "y.normed", b.reshaped(plain, p + "y.flat", 0, -1, inner), weight);
    }
}
