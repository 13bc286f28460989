package dev.pollux.inference.internal.layer;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import java.util.List;

/**
 * The mixer of Mamba-2 (Dao and Gu, arXiv:2405.21060), shared by several families.
 *
 * @param at before its tensors' names
 * @param heads heads, each with one decay
 * @param headWidth channels of a head
 * @param groups groups of heads that share B and C; the gated norm is applied to each group separately
 * @param stateSize width of B and C
 * @param epsilon of the gated norm
 * @param step the limits of a step
 * @param activation after the convolution
 * @param gating where the gate is applied
 */
public record Mamba2Mixer(
        String at,
        int heads,
        int headWidth,
        int groups,
        int stateSize,
        double epsilon,
        Limits step,
        String activation,
        Gating gating) {

    public enum Gating {
        /** norm(y · silu(z)). */
        BEFORE_NORM,
        /** norm(y) · silu(z). */
        AFTER_NORM,
        /** y · silu(z). */
        WITHOUT_NORM
    }

    /**
     * Limits of a step after the softplus.
     *
     * @param most infinite for none
     */
    public record Limits(double least, double most) {

        /** The limits in {@code time_step_limit}; none if it is absent. */
        public static Limits of(Settings settings) {
            List<Double> limits = settings.numbers("time_step_limit");
            return new Limits(
                    limits.isEmpty() ? 0 : limits.get(0), limits.size() < 2 ? Double.POSITIVE_INFINITY : limits.get(1));
        }
    }

    /** The mixer of a hybrid whose settings begin with {@code mamba_}; the width of its heads is that of the matrices. */
    public static Mamba2Mixer hybrid(Blocks b, String at, Norm norm, String activation) {
        Settings settings = b.settings;
        int heads = settings.integer("mamba_n_heads");
        int inner = b.tensors.require(at + "out_proj.weight").dim(1);
        if (inner % heads != 0) {
            throw new MalformedFileException(settings.file() + ": mamba_n_heads must divide the " + inner
                    + " channels of " + at + "out_proj.weight but was " + heads);
        }
        return new Mamba2Mixer(
                at,
                heads,
                inner / heads,
                settings.integer("mamba_n_groups", 1),
                settings.integer("mamba_d_state"),
                norm.epsilon(),
                Limits.of(settings),
                activation,
                Gating.BEFORE_NORM);
    }

    public Mamba2Mixer gating(Gating newGating) {
        return new Mamba2Mixer(at, heads, headWidth, groups, stateSize, epsilon, step, activation, newGating);
    }

    /** The mixer's output for the layer's normed input. */
    public Value write(Blocks b, int layer, String p, Value normed) {
        return write(b, layer, p, normed, List.of());
    }

    /**
     * in_proj computes [gate | x, B, C | dt]; x, B and C pass through the convolution.
     *
     * @param factors factors of the projected gate, x, B, C and dt; empty for none
     */
    public Value write(Blocks b, int layer, String p, Value normed, List<Double> factors) {
        int hidden = b.config.hiddenSize();
        int inner = heads * headWidth;
        int shared = groups * stateSize;
        Recurrence r = new Recurrence(b, layer, p);
        Value all = b.project(normed, p + "in", at + "in_proj.weight", 2 * inner + 2 * shared + heads, hidden);
        List<Value> parts = b.split(
                factors.isEmpty() ? all : scaled(b, all, factors),
                List.of(p + "z", p + "xBC", p + "dt.in"),
                inner,
                inner + 2 * shared,
                heads);
        Value mixed = r.convolution(parts.get(1), at + "conv1d.weight", inner + 2 * shared, activation);
        List<Value> xBC = b.split(mixed, List.of(p + "x", p + "B", p + "C"), inner, shared, shared);
        Value limited = limited(b, p, r.step(parts.get(2), at + "dt_bias", heads));
        Value decay = b.op("Mul", p + "decay", limited, r.negativeExp(at + "A_log", heads));
        Value byHead = b.perToken(xBC.get(0), p + "x.heads", heads, headWidth);
        Value stepByHead = b.perToken(limited, p + "dt.heads", heads, 1);
        Value value = b.perToken(b.op("Mul", p + "x.dt", byHead, stepByHead), p + "v", inner);
        Value scan = r.linearAttention(new LinearAttention(
                r.spread(xBC.get(2), groups, heads, stateSize),
                r.spread(xBC.get(1), groups, heads, stateSize),
                value,
                decay,
                Value.NONE,
                heads,
                stateSize,
                headWidth,
                1));
        Value d = b.graph.floats(p + "D", b.tensors.vectorLater(at + "D", heads), heads, 1);
        Value skip = b.perToken(b.op("Mul", p + "x.D", byHead, d), p + "skip", inner);
        Value y = gated(b, p, parts.get(0), b.op("Add", p + "y", scan, skip));
        return b.project(y, p + "out", at + "out_proj.weight", hidden, inner);
    }

    private Value scaled(Blocks b, Value all, List<Double> factors) {
        int inner = heads * headWidth;
        int shared = groups * stateSize;
        int[] widths = {inner, inner, shared, shared, heads};
        if (factors.size() != widths.length) {
            throw new MalformedFileException(
                    b.settings.file() + ": ssm_multipliers must be five numbers but are " + factors);
        }
        float[] each = new float[2 * inner + 2 * shared + heads];
        int from = 0;
        for (int part = 0; part < widths.length; part++) {
            java.util.Arrays.fill(
                    each, from, from + widths[part], factors.get(part).floatValue());
            from += widths[part];
        }
        Value multipliers = b.graph.floats(all.name() + ".factors", () -> each, each.length);
        return b.op("Mul", all.name() + ".scaled", all, multipliers);
    }

    private Value limited(Blocks b, String p, Value raw) {
        Value least = step.least() <= 0 ? raw : b.op("Max", p + "dt.least", raw, b.constant(step.least()));
        return Double.isInfinite(step.most()) ? least : b.op("Min", p + "dt.most", least, b.constant(step.most()));
    }

    private Value gated(Blocks b, String p, Value z, Value y) {
        Value gate = b.activation("silu", z, p + "z.silu");
        return switch (gating) {
            case BEFORE_NORM -> normed(b, p, b.op("Mul", p + "y.gated", y, gate));
            case AFTER_NORM -> b.op("Mul", p + "y.gated", normed(b, p, y), gate);
            case WITHOUT_NORM -> b.op("Mul", p + "y.gated", y, gate);
        };
    }

    private Value normed(Blocks b, String p, Value y) {
        Norm norm = Norm.rms(epsilon);
        int inner = heads * headWidth;
        if (groups == 1) {
            return b.norm(norm, y, p + "y.normed", at + "norm.weight", inner);
        }
        int width = inner / groups;
        Value plain = b.norm(norm, b.perToken(y, p + "y.groups", groups, width), p + "y.plain", "", width);
        Value weight = b.graph.floats(p + "y.weight", b.tensors.vectorLater(at + "norm.weight", inner), inner);
        return b.op("Mul", p + "y.normed", b.perToken(plain, p + "y.flat", inner), weight);
    }
}
