package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import java.util.function.UnaryOperator;

/** OPT (Zhang et al., arXiv:2205.01068): learned positions from the third row on, norms before or after a block. */
final class Opt extends Transformer {

    /** Rows of the table before that of the first position. */
    private static final int OFFSET = 2;

    private final String root = b.tensors.has("decoder.embed_tokens.weight") ? "decoder." : "model.decoder.";
    private final boolean before = settings.flag("do_layer_norm_before", true);
    private final int narrow = settings.integer("word_embed_proj_dim", config.hiddenSize());

    Opt(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return Norm.layer(1e-5);
    }

    @Override
    Value embedding() {
        int hidden = config.hiddenSize();
        Value tokens = b.embed(root + "embed_tokens.weight", narrow);
        if (narrow != hidden) {
            tokens = b.project(tokens, "embedded.wide", root + "project_in.weight", hidden, narrow);
        }
        return b.op("Add", "embedded", tokens, positions(root + "embed_positions.weight", OFFSET));
    }

    @Override
    public Value normed(Residual x) {
        boolean normed = before && !settings.flag("_remove_final_layer_norm", false);
        int hidden = config.hiddenSize();
        String output = narrow == hidden ? "final" : "final.wide";
        Value out = normed
                ? x.norm(norm(), output, weight(root + "final_layer_norm"))
                : b.op("Identity", output, x.value());
        return narrow == hidden ? out : b.project(out, "final", root + "project_out.weight", narrow, hidden);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = root + "layers." + layer + ".";
        block(x, p + "norm1", at + "self_attn_layer_norm", y -> attention(layer, p, at + "self_attn.", y));
        block(x, p + "norm2", at + "final_layer_norm", y -> mlp(p, at, y));
    }

    private void block(Residual x, String output, String norm, UnaryOperator<Value> part) {
        x.add(part.apply(before ? x.norm(norm(), output, weight(norm)) : x.value()));
        if (!before) {
            x.replace(x.norm(norm(), output, weight(norm)));
        }
    }

    /** Empty where norms have no weights. */
    private String weight(String name) {
        return settings.flag("layer_norm_elementwise_affine", true) ? name + ".weight" : "";
    }

    private Value attention(int layer, String p, String at, Value normed) {
        Attention attention = new Attention(b, layer, p);
        return attention.output(attention.attend(attention.project(normed, at)), at + "out_proj.weight");
    }

    private Value mlp(String p, String at, Value normed) {
        String activation = settings.text("activation_function", "relu");
        return b.plainMlp(p, normed, at + "fc1.weight", at + "fc2.weight", activation);
    }
}
