package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.MaskedAttention;
import dev.pollux.inference.internal.masked.MaskedAttention.Rotary;
import dev.pollux.inference.internal.masked.Operators;
import java.util.List;

/**
 * ModernBERT (Warner et al., arXiv:2412.13663): norms before attention and MLP, rotary positions with two bases, most layers
 * within a window, gated MLPs.
 */
final class ModernBertFamily extends Family {

    private final int width;
    private final int inner;
    private final int heads;
    private final int headWidth;
    private final double epsilon;
    private final int window;
    private final boolean[] sliding;
    private final MaskedAttention attention;

    ModernBertFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
        this.width = config.integer("hidden_size");
        this.inner = config.integer("intermediate_size");
        this.heads = config.integer("num_attention_heads");
        this.headWidth = config.headWidth(width, heads);
        this.epsilon = config.positive(1e-5, "norm_eps");
        this.window = config.integerOr(128, "local_attention") / 2;
        int every = Math.max(1, config.integerOr(3, "global_attn_every_n_layers"));
        this.sliding = config.sliding(layers(), layer -> layer % every == 0);
        this.attention = new MaskedAttention(blocks, heads, headWidth);
    }

    @Override
    int layers() {
        return config.integer("num_hidden_layers");
    }

    private boolean biasedNorms() {
        return config.flag(false, "norm_bias");
    }

    private Value norm(Value x, String stored) {
        return blocks.layerNorm(x, stored, width, epsilon, biasedNorms());
    }

    @Override
    Value embed() {
        Value words = blocks.lookUp(Operators.IDS, "embeddings.tok_embeddings", config.integer("vocab_size"), width);
        return norm(words, "embeddings.norm");
    }

    @Override
    Value layer(int layer, Value x) {
        String at = "layers." + layer + ".";
        Value normed = layer == 0 ? x : norm(x, at + "attn_norm");
        x = blocks.add(x, attend(layer, at, normed));
        boolean biased = config.flag(false, "mlp_bias");
        List<Value> halves = blocks.split(
                blocks.linear(norm(x, at + "mlp_norm"), width, 2 * inner, biased, at + "mlp.Wi"), inner, inner);
        String function = config.text("gelu", "hidden_activation");
        Value gated = blocks.multiply(blocks.activate(halves.get(0), function), halves.get(1));
        return blocks.add(x, blocks.linear(gated, inner, width, biased, at + "mlp.Wo"));
    }

    private Value attend(int layer, String at, Value normed) {
        Rotary rotary = sliding[layer]
                ? config.rotary("sliding_attention", 10_000, "local_rope_theta")
                : config.rotary("full_attention", 160_000, "global_rope_theta");
        int positions = config.integer("max_position_embeddings");
        boolean biased = config.flag(false, "attention_bias");
        List<Value> qkv =
                blocks.split(blocks.linear(normed, width, 3 * width, biased, at + "attn.Wqkv"), width, width, width);
        Value q = attention.rotate(qkv.get(0), heads, headWidth, rotary, positions);
        Value k = attention.rotate(qkv.get(1), heads, headWidth, rotary, positions);
        Value bias = sliding[layer] ? attention.window(window) : Value.NONE;
        return blocks.linear(attention.attend(List.of(q, k, qkv.get(2)), bias), width, width, biased, at + "attn.Wo");
    }

    @Override
    Value finish(Value x) {
        return norm(x, "final_norm");
    }

    @Override
    Value logits(Value hidden) {
        String pooling = config.text("cls", "classifier_pooling");
        Value pooled = switch (pooling) {
            case "cls" -> tokens.first(hidden);
            case "mean" -> tokens.mean(hidden);
            default -> throw config.unsupported("classifier_pooling must be cls or mean but was " + pooling);
        };
        EncoderOperators outside = blocks.outside();
        Value dense = outside.linear(pooled, width, width, config.flag(false, "classifier_bias"), "head.dense");
        Value active = blocks.activate(dense, config.text("gelu", "classifier_activation"));
        return labels(outside.layerNorm(active, "head.norm", width, epsilon, biasedNorms()), width, "classifier");
    }
}
