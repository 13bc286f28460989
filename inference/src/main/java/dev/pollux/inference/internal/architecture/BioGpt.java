package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;

/** BioGPT (Luo et al., arXiv:2210.10341): OPT with scaled embeddings. */
final class BioGpt extends Transformer {

    /** Rows of the table before that of the first position. */
    private static final int OFFSET = 2;

    private static final String ROOT = "biogpt.";

    BioGpt(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(1e-5);
    }

    @Override
    Value embedding() {
        boolean scaled = settings.flag("scale_embedding", true);
        Value tokens = b.scaled(b.embed(ROOT + "embed_tokens.weight"), scaled ? Math.sqrt(config.hiddenSize()) : 1);
        return b.op("Add", "embedded", tokens, positions(ROOT + "embed_positions.weight", OFFSET));
    }

    @Override
    String finalNorm() {
        return ROOT + "layer_norm.weight";
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = ROOT + "layers." + layer + ".";
        Attention attention = new Attention(b, layer, p);
        Value normed = x.norm(norm(), p + "norm1", at + "self_attn_layer_norm.weight");
        Value attended = attention.attend(attention.project(normed, at + "self_attn."));
        x.add(attention.output(attended, at + "self_attn.out_proj.weight"));
        String activation = settings.text("hidden_act", "gelu");
        Value inner = x.norm(norm(), p + "norm2", at + "final_layer_norm.weight");
        x.add(b.plainMlp(p, inner, at + "fc1.weight", at + "fc2.weight", activation));
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "output_projection.weight", 1, 0);
    }
}
