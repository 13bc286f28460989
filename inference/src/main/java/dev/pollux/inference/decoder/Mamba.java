package dev.pollux.inference.decoder;

import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/**
 * Mamba (Gu and Dao, arXiv:2312.00752): a selective scan, every channel a head of one value. Falcon Mamba (arXiv:2410.05355)
 * normalizes what chooses.
 */
final class Mamba extends Backbone {

    private final int inner;
    private final int stateSize = settings.integer("state_size", 16);

    Mamba(Blocks b) {
        super(b);
        inner = settings.integer("intermediate_size", settings.integer("expand", 2) * config.hiddenSize());
    }

    @Override
    void layer(int layer, String p, Residual stream) {
        String at = root() + "layers." + layer + ".mixer.";
        String normed = stream.norm(norm(), p + "norm", root() + "layers." + layer + ".norm.weight");
        Recurrence r = new Recurrence(b, layer, p);
        b.split(
                b.project(normed, p + "in", at + "in_proj.weight", 2 * inner, config.hiddenSize()),
                List.of(p + "x.in", p + "z"),
                inner,
                inner);
        String x = r.convolution(p + "x.in", at + "conv1d.weight", inner, activation());
        int rank = b.tensors.require(at + "dt_proj.weight").dim(1);
        String chosen = b.project(x, p + "chosen", at + "x_proj.weight", rank + 2 * stateSize, inner);
        b.split(chosen, List.of(p + "dt.low", p + "B", p + "C"), rank, stateSize, stateSize);
        String low = even(p + "dt.low", rank);
        String step = b.op("Softplus", p + "dt", b.project(low, p + "dt.raw", at + "dt_proj.weight", inner, rank));
        String each = b.reshaped(step, p + "dt.each", 0, -1, inner, 1);
        String decay = b.op("Mul", p + "decay.each", each, r.negativeExp(at + "A_log", inner, stateSize));
        String y = r.linearAttention(
                r.spread(even(p + "C", stateSize), 1, inner, stateSize),
                r.spread(even(p + "B", stateSize), 1, inner, stateSize),
                b.op("Mul", p + "v", x, step),
                b.reshaped(decay, p + "decay", 0, -1, (long) inner * stateSize),
                "",
                inner,
                stateSize,
                1,
                1);
        String skip = b.op("Mul", p + "skip", x, b.graph.floats(p + "D", b.tensors.vector(at + "D", inner), inner));
        String gated =
                b.op("Mul", p + "gated", b.op("Add", p + "y", y, skip), b.activation("silu", p + "z", p + "z.silu"));
        stream.add(b.project(gated, p + "out", at + "out_proj.weight", config.hiddenSize(), inner));
    }

    /** Falcon Mamba normalizes the step, B and C without weights. */
    private String even(String x, int width) {
        return config.architecture().equals("FalconMambaForCausalLM")
                ? b.norm(Norm.rms(settings.number("mixer_rms_eps", 1e-6)), x, x + ".even", "", width)
                : x;
    }
}
