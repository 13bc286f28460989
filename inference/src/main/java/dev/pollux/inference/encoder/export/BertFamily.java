package dev.pollux.inference.encoder.export;

import java.util.List;

/** BERT (Devlin et al., arXiv:1810.04805): norms after attention and MLP, learned positions, token types. */
class BertFamily extends Family {

    final int width;
    final int inner;
    final double epsilon;
    final Attention attention;
    final String activation;

    BertFamily(Blocks blocks, ConfigReader config) {
        super(blocks, config);
        this.width = config.integer("hidden_size");
        this.inner = config.integer("intermediate_size");
        this.epsilon = config.positive(1e-12, "layer_norm_eps");
        this.activation = config.text("gelu", "hidden_act");
        int heads = config.integer("num_attention_heads");
        this.attention = new Attention(blocks, heads, config.headWidth(width, heads));
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
    String positions() {
        return tokens.positions();
    }

    /** The type of each token, or of all; empty where the family has no types. */
    String types() {
        return Blocks.TYPES;
    }

    /** The width of what is looked up. */
    int embeddingWidth() {
        return width;
    }

    @Override
    String embed() {
        int size = embeddingWidth();
        int places = config.integer("max_position_embeddings");
        String sum = blocks.add(
                blocks.lookUp(Blocks.IDS, "embeddings.word_embeddings", config.integer("vocab_size"), size),
                blocks.lookUp(positions(), "embeddings.position_embeddings", places, size));
        String types = types();
        if (!types.isEmpty()) {
            int count = config.integerOr(2, "type_vocab_size");
            sum = blocks.add(sum, blocks.lookUp(types, "embeddings.token_type_embeddings", count, size));
        }
        return blocks.layerNorm(sum, "embeddings.LayerNorm", size, epsilon);
    }

    @Override
    String layer(int layer, String x) {
        String at = "encoder.layer." + layer + ".";
        String self = at + "attention.self.";
        List<String> qkv = blocks.split(
                blocks.dense(x, width, width, self + "query", self + "key", self + "value"), width, width, width);
        String attended = blocks.dense(attention.attend(qkv, ""), width, width, at + "attention.output.dense");
        x = blocks.layerNorm(blocks.add(x, attended), at + "attention.output.LayerNorm", width, epsilon);
        String written = blocks.mlp(x, width, inner, activation, at + "intermediate.dense", at + "output.dense");
        return blocks.layerNorm(blocks.add(x, written), at + "output.LayerNorm", width, epsilon);
    }

    @Override
    String logits(String hidden) {
        String pooled = blocks.dense(tokens.first(hidden), width, width, "pooler.dense");
        return labels(blocks.activate(pooled, "tanh"), width, "classifier");
    }
}
