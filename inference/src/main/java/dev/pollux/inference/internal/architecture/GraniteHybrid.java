package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Mamba2Mixer;
import dev.pollux.tensor.StackedMatrix;

/**
 * Granite with experts: Granite 3 (attention only, with or without a shared MLP) and 4 (Mamba-2 and attention); Granite's
 * multipliers.
 */
class GraniteHybrid extends Transformer {

    GraniteHybrid(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        return b.scaled(super.embedding(), settings.number("embedding_multiplier", 1));
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1 / settings.positive("logits_scaling", 1), 0);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        boolean attends = b.tensors.has(at(layer) + "self_attn.q_proj.weight");
        Value mixed = attends
                ? super.attention(layer, p, normed)
                : Mamba2Mixer.hybrid(b, at(layer) + "mamba.", norm(), activation())
                        .write(b, layer, p, normed);
        return b.scaled(mixed, settings.number("residual_multiplier", 1));
    }

    @Override
    Attention attention(int layer, String p) {
        boolean rotates = settings.text("position_embedding_type", "rope").equals("rope");
        Attention attention = rotates ? super.attention(layer, p) : new Attention(b, layer, p);
        return attention.scale(settings.number("attention_multiplier", 1));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        boolean routed = settings.count("num_local_experts", 0) > 0;
        boolean shares = !routed || settings.count("shared_intermediate_size", 1) > 0 && hasShared(layer);
        Value written = shares ? shared(layer, p, normed) : experts(layer, p, normed);
        if (routed && shares) {
            written = b.op("Add", p + "moe", experts(layer, p, normed), written);
        }
        return b.scaled(written, settings.number("residual_multiplier", 1));
    }

    private boolean hasShared(int layer) {
        return b.tensors.has(at(layer) + "shared_mlp.output_linear.weight");
    }

    private Value shared(int layer, String p, Value normed) {
        String apart = at(layer) + "shared_mlp.gate_proj.weight"; // as GGUF files have it
        boolean stacked = !b.tensors.has(apart);
        int width = stacked
                ? settings.integer("shared_intermediate_size")
                : b.tensors.require(apart).dim(0);
        StackedMatrix gateUp = stacked
                ? b.matrix(config.hiddenSize(), at(layer) + "shared_mlp.input_linear.weight")
                : b.matrix(config.hiddenSize(), apart, at(layer) + "shared_mlp.up_proj.weight");
        String down = at(layer) + "shared_mlp.output_linear.weight";
        return b.gated(p + "shared.", normed, gateUp, down, width, activation());
    }

    private Value experts(int layer, String p, Value normed) {
        String at = at(layer) + "block_sparse_moe.";
        int width = config.intermediateSize();
        int hidden = config.hiddenSize();
        Experts experts = new Experts(
                b, p, normed, settings.integer("num_local_experts"), settings.integer("num_experts_per_tok"));
        boolean plain = b.tensors.has(at + "router.weight");
        Value weights = experts.softmaxOfChosen(experts.logits(at + (plain ? "router.weight" : "router.layer.weight")));
        if (b.tensors.has(at + "experts.gate_up_proj")) {
            return experts.write(weights, (e, q, x) -> experts.gated(at + "experts.", e, q, x, width, activation()));
        }
        if (b.tensors.has(at + "experts.0.gate_proj.weight")) {
            return experts.write(
                    weights, (e, q, x) -> b.gatedMlp(q, x, at + "experts." + e + ".", width, activation()));
        }
        return experts.write(weights, (e, q, x) -> {
            String gateUp = slice(at + "input_linear.weight", e, 2 * width, hidden);
            String down = slice(at + "output_linear.weight", e, hidden, width);
            return b.gated(q, x, b.matrix(hidden, gateUp), down, width, activation());
        });
    }

    /** Expert {@code e} of (experts, rows, columns). */
    private String slice(String stored, int e, int rows, int columns) {
        int size = rows * columns;
        return b.tensors.define(
                stored + "." + e, stored, rows, columns, () -> b.tensors.floats(stored, (long) e * size, size));
    }
}
