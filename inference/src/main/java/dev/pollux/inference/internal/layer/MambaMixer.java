package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.Value;
import java.util.List;

/**
 * The mixer of Mamba (Gu and Dao, arXiv:2312.00752): a selective scan, every channel a head of one value.
 *
 * @param at before its tensors' names
 * @param inner channels
 * @param stateSize numbers of a channel's state
 * @param activation after the convolution
 * @param inputNorms norms of the step, B and C
 * @param epsilon of these norms
 */
public record MambaMixer(
        String at, int inner, int stateSize, String activation, InputNorms inputNorms, double epsilon) {

    public enum InputNorms {
        /** No norms. */
        NONE,
        /** Norms without weights. */
        PLAIN,
        /** Norms with weights. */
        WEIGHTED
    }

    /** The mixer's output for the layer's normed input. */
    public Value write(Blocks b, int layer, String p, Value normed) {
        Recurrence r = new Recurrence(b, layer, p);
        List<Value> parts = b.split(
                b.project(normed, p + "in", at + "in_proj.weight", 2 * inner, b.config.hiddenSize()),
                List.of(p + "x.in", p + "z"),
                inner,
                inner);
        Value x = r.convolution(parts.get(0), at + "conv1d.weight", inner, activation);
        int rank = b.tensors.require(at + "dt_proj.weight").dim(1);
        Value chosen = b.project(x, p + "chosen", at + "x_proj.weight", rank + 2 * stateSize, inner);
        List<Value> low = b.split(chosen, List.of(p + "dt.low", p + "B", p + "C"), rank, stateSize, stateSize);
        Value dt = even(b, low.get(0), "dt_layernorm.weight", rank);
        Value step = b.op("Softplus", p + "dt", b.project(dt, p + "dt.raw", at + "dt_proj.weight", inner, rank));
        Value each = b.perToken(step, p + "dt.each", inner, 1);
        Value decay = b.op("Mul", p + "decay.each", each, r.negativeExp(at + "A_log", inner, stateSize));
        Value y = r.linearAttention(new LinearAttention(
                r.spread(even(b, low.get(2), "c_layernorm.weight", stateSize), 1, inner, stateSize),
                r.spread(even(b, low.get(1), "b_layernorm.weight", stateSize), 1, inner, stateSize),
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
        return b.project(gated, p + "out", at + "out_proj.weight", b.config.hiddenSize(), inner);
    }

    private Value even(Blocks b, Value x, String weight, int width) {
        return switch (inputNorms) {
            case NONE -> x;
            case PLAIN -> b.norm(Norm.rms(epsilon), x, x.name() + ".even", "", width);
            case WEIGHTED -> b.norm(Norm.rms(epsilon), x, x.name() + ".even", at + weight, width);
        };
    }
}
