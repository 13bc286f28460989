package dev.pollux.inference.internal.layer;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Settings;
import java.util.List;

/**
 * The mixer of Mamba-2 (Dao and Gu, arXiv:2405.21060), as several families have it.
 *
 * @param at before its tensors' names
 * @param heads heads, each with one decay
 * @param headWidth channels of a head
 * @param groups groups of heads that share B and C; the gated norm goes over each of them by itself
 * @param stateSize width of B and C
 * @param epsilon of the gated norm
 * @param step what a step is held to
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

        /** Those of {@code time_step_limit}, none where it is absent. */
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

    /** What the mixer adds to the stream, of the layer's normed input. */
    public String write(Blocks b, int layer, String p, String normed) {
        return write(b, layer, p, normed, List.of());
    }

    /**
     * in_proj gives [gate | x, B, C | dt]; x, B and C go through the convolution.
     *
     * @param factors of the gate, x, B, C and dt as they are projected; empty for none
     */
    public String write(Blocks b, int layer, String p, String normed, List<Double> factors) {
        int hidden = b.config.hiddenSize();
        int inner = heads * headWidth;
        int shared = groups * stateSize;
        Recurrence r = new Recurrence(b, layer, p);
        String all = b.project(normed, p + "in", at + "in_proj.weight", 2 * inner + 2 * shared + heads, hidden);
        b.split(
                factors.isEmpty() ? all : scaled(b, all, factors),
                List.of(p + "z", p + "xBC", p + "dt.in"),
                inner,
                inner + 2 * shared,
                heads);
        String mixed = r.convolution(p + "xBC", at + "conv1d.weight", inner + 2 * shared, activation);
        b.split(mixed, List.of(p + "x", p + "B", p + "C"), inner, shared, shared);
        String limited = limited(b, p, r.step(p + "dt.in", at + "dt_bias", heads));
        String decay = b.op("Mul", p + "decay", limited, r.negativeExp(at + "A_log", heads));
        String byHead = b.reshaped(p + "x", p + "x.heads", 0, -1, heads, headWidth);
        String stepByHead = b.reshaped(limited, p + "dt.heads", 0, -1, heads, 1);
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
        String y = gated(b, p, b.op("Add", p + "y", scan, skip));
        return b.project(y, p + "out", at + "out_proj.weight", hidden, inner);
    }

    private String scaled(Blocks b, String all, List<Double> factors) {
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
        return b.op("Mul", all + ".scaled", all, b.graph.floats(all + ".factors", each, each.length));
    }

    private String limited(Blocks b, String p, String raw) {
        String least = step.least() <= 0 ? raw : b.op("Max", p + "dt.least", raw, b.constant(step.least()));
        return Double.isInfinite(step.most()) ? least : b.op("Min", p + "dt.most", least, b.constant(step.most()));
    }

    private String gated(Blocks b, String p, String y) {
        String gate = b.activation("silu", p + "z", p + "z.silu");
        return switch (gating) {
            case BEFORE_NORM -> normed(b, p, b.op("Mul", p + "y.gated", y, gate));
            case AFTER_NORM -> b.op("Mul", p + "y.gated", normed(b, p, y), gate);
            case WITHOUT_NORM -> b.op("Mul", p + "y.gated", y, gate);
        };
    }

    private String normed(Blocks b, String p, String y) {
        Norm norm = Norm.rms(epsilon);
        int inner = heads * headWidth;
        if (groups == 1) {
            return b.norm(norm, y, p + "y.normed", at + "norm.weight", inner);
        }
        int width = inner / groups;
        String plain = b.norm(norm, b.reshaped(y, p + "y.groups", 0, -1, groups, width), p + "y.plain", "", width);
        String weight = b.graph.floats(p + "y.weight", b.tensors.vector(at + "norm.weight", inner), inner);
        return b.op("Mul", p + "y.normed", b.reshaped(plain, p + "y.flat", 0, -1, inner), weight);
    }
}
