package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.MaskedAttention;
import dev.pollux.inference.internal.masked.MaskedAttention.Rotary;
import dev.pollux.inference.internal.masked.Operators;
import java.util.List;

/**
 * Nomic BERT (Nussbaum et al., arXiv:2402.01613): BERT with rotary positions and gated MLPs, with the names and keys of its
 * publisher or of transformers.
 */
final class NomicFamily extends Family {

    private final int width;
    private final int inner;
    private final int heads;
    private final int headWidth;
    private final double epsilon;
    private final boolean published; // with its publisher's names
    private final MaskedAttention attention;

    NomicFamily(EncoderOperators blocks, ConfigReader config) {
        super(blocks, config);
        this.width = config.integer("hidden_size", "n_embd");
        this.inner = config.integer("intermediate_size", "n_inner");
        this.heads = config.integer("num_attention_heads", "n_head");
        this.headWidth = config.headWidth(width, heads);
        this.epsilon = config.positive(1e-12, "layer_norm_eps", "layer_norm_epsilon");
        this.published = blocks.has("emb_ln.weight");
        this.attention = new MaskedAttention(blocks, heads, headWidth);
        if (config.flag(false, "prenorm") || config.integerOr(0, "moe_every_n_layers", "num_experts") > 0) {
            throw config.unsupported("prenorm and experts of Nomic BERT are not supported; use a model without them");
        }
    }

    @Override
    boolean readsTypes() {
        return true;
    }

    @Override
    int layers() {
        return config.integer("num_hidden_layers", "n_layer");
    }

    @Override
    Value embed() {
        int vocabulary = config.integer("vocab_size");
        int types = config.integerOr(2, "type_vocab_size");
        Value sum = blocks.add(
                blocks.lookUp(Operators.IDS, "embeddings.word_embeddings", vocabulary, width),
                blocks.lookUp(Operators.TYPES, "embeddings.token_type_embeddings", types, width));
        return blocks.layerNorm(sum, published ? "emb_ln" : "embeddings.LayerNorm", width, epsilon);
    }

    @Override
    Value layer(int layer, Value x) {
        String at = (published ? "encoder.layers." : "layers.") + layer + ".";
        Value attended = attend(at, x);
        String norm = at + (published ? "norm1" : "post_attention_layernorm");
        x = blocks.layerNorm(blocks.add(x, attended), norm, width, epsilon);
        String mlp = at + "mlp.";
        List<String> names = published
                ? List.of(mlp + "fc12", mlp + "fc11", mlp + "fc2")
                : List.of(mlp + "gate_proj", mlp + "up_proj", mlp + "down_proj");
        Value written = blocks.gatedMlp(x, width, inner, blocks.has(names.get(2) + ".bias"), function(), names);
        norm = at + (published ? "norm2" : "post_mlp_layernorm");
        return blocks.layerNorm(blocks.add(x, written), norm, width, epsilon);
    }

    private Value attend(String at, Value x) {
        Value packed = published
                ? blocks.linear(x, width, 3 * width, blocks.has(at + "attn.Wqkv.bias"), at + "attn.Wqkv")
                : blocks.linear(
                        x,
                        width,
                        width,
                        false,
                        at + "self_attn.q_proj",
                        at + "self_attn.k_proj",
                        at + "self_attn.v_proj");
        List<Value> qkv = blocks.split(packed, width, width, width);
        Rotary rotary = config.rotary("full_attention", 1000, "rotary_emb_base", "rope_theta");
        int turned = (int) (headWidth * config.positive(1, "rotary_emb_fraction"));
        Value q = attention.rotate(qkv.get(0), heads, turned, rotary, positions());
        Value k = attention.rotate(qkv.get(1), heads, turned, rotary, positions());
        Value values = attention.attend(List.of(q, k, qkv.get(2)), Value.NONE);
        String out = at + (published ? "attn.out_proj" : "self_attn.o_proj");
        return blocks.linear(values, width, width, blocks.has(out + ".bias"), out);
    }

    /** Past the positions of its training its rotation depends on the length of a text; the table ends there. */
    private int positions() {
        int all = config.integer("max_position_embeddings", "n_positions");
        boolean dynamic = config.node("rotary_scaling_factor").isNumber();
        return dynamic ? Math.min(all, config.integer("max_trained_positions")) : all;
    }

    private String function() {
        String named = config.text("silu", "hidden_act", "activation_function");
        return switch (named) {
            case "swiglu" -> "silu";
            case "geglu" -> "gelu";
            default -> named;
        };
    }

    @Override
    Value logits(Value hidden) {
        Value pooled = blocks.dense(tokens.first(hidden), width, width, "pooler.dense");
        return labels(blocks.activate(pooled, "tanh"), width, "classifier");
    }
}
