package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.MaskedAttention;
import dev.pollux.inference.internal.masked.Operators;
import java.util.List;

/** BERT (Devlin et al., arXiv:1810.04805): norms after attention and MLP, learned positions, token types. */
class BertFamily extends Family {

    final int width;
    final int inner;
    final double epsilon;
    final MaskedAttention attention;
    final String activation;

    BertFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
        this.width = config.integer("hidden_size");
        this.inner = config.integer("intermediate_size");
        this.epsilon = config.positive(1e-12, "layer_norm_eps");
        this.activation = config.text("gelu", "hidden_act");
        int heads = config.integer("num_attention_heads");
        this.attention = new MaskedAttention(blocks, heads, config.headWidth(width, heads));
        String positions = config.text("absolute", "position_embedding_type");
        if (!positions.equals("absolute")) {
            throw config.unsupported("position_embedding_type must be absolute but was " + positions);
        }
    }

    @Override
    boolean readsTypes() {
        return true;
    }

    @Override
    int layers() {
        return config.integer("num_hidden_layers");
    }

    /** The position of each token in the table of positions; (batch, tokens). */
    Value positions() {
        return tokens.positions();
    }

    /** The type of each token, or of all; empty where the family has no types. */
    Value types() {
        return Operators.TYPES;
    }

    /** The width of what is looked up. */
    int embeddingWidth() {
        return width;
    }

    @Override
    Value embed() {
        int size = embeddingWidth();
        int places = config.integer("max_position_embeddings");
        Value sum = blocks.add(
                blocks.lookUp(Operators.IDS, "embeddings.word_embeddings", config.integer("vocab_size"), size),
                blocks.lookUp(positions(), "embeddings.position_embeddings", places, size));
        Value types = types();
        if (!types.isNone()) {
            int count = config.integerOr(2, "type_vocab_size");
            sum = blocks.add(sum, blocks.lookUp(types, "embeddings.token_type_embeddings", count, size));
        }
        return blocks.layerNorm(sum, "embeddings.LayerNorm", size, epsilon);
    }

    @Override
    Value layer(int layer, Value x) {
        String at = "encoder.layer." + layer + ".";
        String self = at + "attention.self.";
        List<Value> qkv = blocks.split(
                blocks.dense(x, width, width, self + "query", self + "key", self + "value"), width, width, width);
        Value attended = blocks.dense(attention.attend(qkv, Value.NONE), width, width, at + "attention.output.dense");
        x = blocks.layerNorm(blocks.add(x, attended), at + "attention.output.LayerNorm", width, epsilon);
        Value written = blocks.mlp(x, width, inner, activation, at + "intermediate.dense", at + "output.dense");
        return blocks.layerNorm(blocks.add(x, written), at + "output.LayerNorm", width, epsilon);
    }

    @Override
    Value logits(Value hidden) {
        Value pooled = blocks.dense(tokens.first(hidden), width, width, "pooler.dense");
        return labels(blocks.activate(pooled, "tanh"), width, "classifier");
    }
}
