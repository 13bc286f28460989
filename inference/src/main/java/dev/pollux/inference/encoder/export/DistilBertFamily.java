package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.MaskedAttention;
import dev.pollux.inference.internal.masked.Operators;
import java.util.List;

/** DistilBERT (Sanh et al., arXiv:1910.01108): BERT without token types, under other names. */
final class DistilBertFamily extends Family {

    private static final double EPSILON = 1e-12;

    private final int width;
    private final int inner;
    private final MaskedAttention attention;

    DistilBertFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
        this.width = config.integer("dim", "hidden_size");
        this.inner = config.integer("hidden_dim", "intermediate_size");
        int heads = config.integer("n_heads", "num_attention_heads");
        this.attention = new MaskedAttention(blocks, heads, config.headWidth(width, heads));
    }

    @Override
    int layers() {
        return config.integer("n_layers", "num_hidden_layers");
    }

    @Override
    Value embed() {
        int places = config.integer("max_position_embeddings");
        Value sum = blocks.add(
                blocks.lookUp(Operators.IDS, "embeddings.word_embeddings", config.integer("vocab_size"), width),
                blocks.lookUp(tokens.positions(), "embeddings.position_embeddings", places, width));
        return blocks.layerNorm(sum, "embeddings.LayerNorm", width, EPSILON);
    }

    @Override
    Value layer(int layer, Value x) {
        String at = "transformer.layer." + layer + ".";
        String self = at + "attention.";
        List<Value> qkv = blocks.split(
                blocks.dense(x, width, width, self + "q_lin", self + "k_lin", self + "v_lin"), width, width, width);
        Value attended = blocks.dense(attention.attend(qkv, Value.NONE), width, width, self + "out_lin");
        x = blocks.layerNorm(blocks.add(x, attended), at + "sa_layer_norm", width, EPSILON);
        String function = config.text("gelu", "activation");
        Value written = blocks.mlp(x, width, inner, function, at + "ffn.lin1", at + "ffn.lin2");
        return blocks.layerNorm(blocks.add(x, written), at + "output_layer_norm", width, EPSILON);
    }

    @Override
    Value logits(Value hidden) {
        Value dense = blocks.outside().dense(tokens.first(hidden), width, width, "pre_classifier");
        return labels(blocks.activate(dense, "relu"), width, "classifier");
    }
}
