package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.LongRotary;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.tensor.StackedMatrix;

/** Phi-3.5-MoE (Abdin et al., arXiv:2404.14219): layer norms, two experts by SparseMixer. */
final class Phimoe extends Transformer {

    Phimoe(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(settings.number("rms_norm_eps", 1e-5));
    }

    /** Of LongRoPE the factors of short and long texts must be equal. */
    @Override
    Rotary newRotary() {
        Settings rope = ropeSettings();
        String type = rope.text("rope_type", rope.text("type", "default"));
        if (type.equals("default")) {
            return super.newRotary();
        }
        double factor = rope.number("short_mscale", 1);
        if (!LongRotary.isAskedFor(rope) || rope.number("long_mscale", 1) != factor) {
            throw new UnsupportedModelException(settings.file() + ": rotary scaling '" + type + "' with short_mscale "
                    + factor + " and long_mscale " + rope.number("long_mscale", 1)
                    + " is not supported, only longrope with equal ones, and default");
        }
        return LongRotary.write(b, rope, config.headDim(), factor);
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p).window(settings.count("sliding_window", 0));
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        boolean fused = b.tensors.has(at(layer) + "mlp.router.weight");
        String at = at(layer) + (fused ? "mlp." : "block_sparse_moe.");
        if (settings.integer("num_experts_per_tok", 2) != 2) {
            throw new UnsupportedModelException(settings.file() + ": num_experts_per_tok must be 2 but was "
                    + settings.integer("num_experts_per_tok") + "; SparseMixer chooses two experts");
        }
        Experts experts = new Experts(b, p, normed, settings.integer("num_local_experts"), 2);
        int width = config.intermediateSize();
        Value logits = experts.logits(at + (fused ? "router.weight" : "gate.weight"));
        Value weights = experts.sparseMixer(logits, settings.number("router_jitter_noise", 0.01));
        return experts.write(weights, (e, q, x) -> {
            String own = at + "experts." + e + ".";
            if (!b.tensors.has(own + "w1.weight")) {
                return experts.gated(at + "experts.", e, q, x, width, activation());
            }
            StackedMatrix gateUp = b.matrix(config.hiddenSize(), own + "w1.weight", own + "w3.weight");
            return b.gated(q, x, gateUp, own + "w2.weight", width, activation());
        });
    }
}
