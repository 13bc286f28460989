package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;

/**
 * Mamba (Gu and Dao, arXiv:2312.00752): a selective scan, every channel a head of one value. Falcon Mamba
 * (arXiv:2410.05355) normalizes the step, B and C.
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
        Value normed = stream.norm(norm(), p + "norm", root() + "layers." + layer + ".norm.weight");
        Recurrence r = new Recurrence(b, layer, p);
        List<Value> parts = b.split(
                b.project(normed, p + "in", at + "in_proj.weight", 2 * inner, config.hiddenSize()),
                List.of(p + "x.in", p + "z"),
                inner,
                inner);
        Value x = r.convolution(parts.get(0), at + "conv1d.weight", inner, activation());
        int rank = b.tensors.require(at + "dt_proj.weight").dim(1);
        Value chosen = b.project(x, p + "chosen", at + "x_proj.weight", rank + 2 * stateSize, inner);
        List<Value> low = b.split(chosen, List.of(p + "dt.low", p + "B", p + "C"), rank, stateSize, stateSize);
        Value dt = even(low.get(0), rank);
        Value step = b.op("Softplus", p + "dt", b.project(dt, p + "dt.raw", at + "dt_proj.weight", inner, rank));
        Value each = b.perToken(step, p + "dt.each", inner, 1);
        Value decay = b.op("Mul", p + "decay.each", each, r.negativeExp(at + "A_log", inner, stateSize));
        Value y = r.linearAttention(new LinearAttention(
                r.spread(even(low.get(2), stateSize), 1, inner, stateSize),
                r.spread(even(low.get(1), stateSize), 1, inner, stateSize),
                b.op("Mul", p + "v", x, step),
                b.perToken(decay, p + "decay", (long) inner * stateSize),
                Value.NONE,
                inner,
                stateSize,
                1,
                1));
        Value skip = b.op("Mul", p + "skip", x, b.graph.floats(p + "D", b.tensors.vectorLater(at + "D", inner), inner));
        Value gated = b.op(
                "Mul", p + "gated", b.op("Add", p + "y", y, skip), b.activation("silu", parts.get(1), p + "z.silu"));
        stream.add(b.project(gated, p + "out", at + "out_proj.weight", config.hiddenSize(), inner));
    }

    /** Falcon Mamba normalizes the step, B and C without weights. */
    private Value even(Value x, int width) {
        return config.architecture().equals("FalconMambaForCausalLM")
                ? b.norm(Norm.rms(settings.number("mixer_rms_eps", 1e-6)), x, x.name() + ".even", "", width)
                : x;
    }
}
