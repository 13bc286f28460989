package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Mamba2Mixer;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.tensor.StackedMatrix;
import java.util.List;

/**
 * Falcon-H1 (TII, arXiv:2507.22448): in each layer, parallel Mamba-2 and attention read the same norm, and both outputs are
 * added; each branch has a multiplier.
 */
final class FalconH1 extends Transformer {

    private final List<Double> mlpFactors = settings.numbers("mlp_multipliers");

    FalconH1(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), settings.number("embedding_multiplier", 1));
    }

    @Override
    String finalNorm() {
        return "model.final_layernorm.weight";
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", settings.number("lm_head_multiplier", 1), 0);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value normed = x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight");
        Value mixed = mixed(layer, p + "mamba.", times(p + "mamba.read", normed, "ssm_in_multiplier"));
        Value attended = attention(layer, p, times(p + "attention.read", normed, "attention_in_multiplier"));
        x.add(b.op(
                "Add",
                p + "both",
                times(p + "mamba.written", mixed, "ssm_out_multiplier"),
                times(p + "attention.written", attended, "attention_out_multiplier")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "pre_ff_layernorm.weight")));
    }

    private Value times(String output, Value x, String key) {
        double factor = settings.number(key, 1);
        return factor == 1 ? x : b.op("Mul", output, x, b.constant(factor));
    }

    private Value mixed(int layer, String p, Value x) {
        String at = at(layer) + "mamba.";
        boolean normed = settings.flag("mamba_rms_norm", b.tensors.has(at + "norm.weight"));
        boolean before = settings.flag("mamba_norm_before_gate", true);
        Mamba2Mixer.Gating gating = !normed
                ? Mamba2Mixer.Gating.WITHOUT_NORM
                : before ? Mamba2Mixer.Gating.AFTER_NORM : Mamba2Mixer.Gating.BEFORE_NORM;
        return Mamba2Mixer.hybrid(b, at, norm(), activation())
                .gating(gating)
                .write(b, layer, p, x, settings.numbers("ssm_multipliers"));
    }

    /** A factor of all keys is equivalent to a factor of the scores. */
    @Override
    Attention attention(int layer, String p) {
        double factor = settings.number("key_multiplier", 1);
        return super.attention(layer, p).scale(factor / Math.sqrt(config.headDim()));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "feed_forward.";
        int width = config.intermediateSize();
        StackedMatrix gateUp = b.matrix(config.hiddenSize(), at + "gate_proj.weight", at + "up_proj.weight");
        Value both = b.linear(normed, p + "gate_up", gateUp.requireRows(2 * width));
        List<Value> parts = b.split(both, List.of(p + "gate", p + "up"), width, width);
        Value active = b.activation(activation(), b.scaled(parts.get(0), mlpFactor(0)), p + "active");
        Value gated = b.op("Mul", p + "gated", active, parts.get(1));
        StackedMatrix down = b.matrix(width, at + "down_proj.weight").requireRows(config.hiddenSize());
        return b.scaled(b.projectGated(gated, p + "down", down), mlpFactor(1));
    }

    private double mlpFactor(int part) {
        return part < mlpFactors.size() ? mlpFactors.get(part) : 1;
    }
}
