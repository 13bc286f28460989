package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.encoder.export.ConfigReader.Rotary;
import java.util.List;

/**
 * Decoders that give vectors, such as Qwen3 Embedding (Zhang et al., arXiv:2506.05176): the Llama block, with what
 * {@link Traits} say. A token sees those before it, unless {@code is_causal} is false.
 */
class DecoderFamily extends Family {

    final int width;
    final int inner;
    final int heads;
    final int keyValueHeads;
    final int headWidth;
    final double epsilon;
    final MaskedAttention attention;
    private final Traits traits;

    /**
     * What a family does that its configuration does not say.
     *
     * @param headNorms whether q and k of each head are normed
     * @param biased whether q, k and v have biases
     */
    record Traits(boolean headNorms, boolean biased) {}

    /** Llama and Mistral. */
    static DecoderFamily llama(Operators blocks, ConfigReader config) {
        return new DecoderFamily(blocks, config, new Traits(false, false));
    }

    static DecoderFamily qwen2(Operators blocks, ConfigReader config) {
        return new DecoderFamily(blocks, config, new Traits(false, true));
    }

    static DecoderFamily qwen3(Operators blocks, ConfigReader config) {
        return new DecoderFamily(blocks, config, new Traits(true, false));
    }

    DecoderFamily(Operators blocks, ConfigReader config, Traits traits) {
        super(blocks, config);
        this.width = config.integer("hidden_size");
        this.inner = config.integer("intermediate_size");
        this.heads = config.integer("num_attention_heads");
        this.keyValueHeads = config.integerOr(heads, "num_key_value_heads");
        this.headWidth = config.headWidth(width, heads);
        this.epsilon = config.positive(1e-6, "rms_norm_eps");
        this.attention = new MaskedAttention(blocks, heads, headWidth);
        this.traits = traits;
        if (keyValueHeads < 1 || heads % keyValueHeads != 0) {
            throw config.unsupported(
                    "num_key_value_heads must divide num_attention_heads, " + heads + ", but was " + keyValueHeads);
        }
    }

    @Override
    int layers() {
        return config.integer("num_hidden_layers");
    }

    @Override
    Value embed() {
        return blocks.lookUp(Operators.IDS, "embed_tokens", config.integer("vocab_size"), width);
    }

    /** A norm of this family; the weight is one for each component, and the last dimension is {@code size}. */
    Value norm(Value x, String stored, int size) {
        return blocks.rmsNorm(x, stored, size, epsilon, 0);
    }

    /** How positions turn in a layer. */
    Rotary rotary(int layer) {
        return config.rotary("full_attention", 10_000, "rope_theta");
    }

    /** What a token sees in a layer; empty for everything. */
    Value bias(int layer) {
        if (!config.flag(true, "is_causal")) {
            return Value.NONE;
        }
        int window = config.integerOr(0, "sliding_window");
        boolean windowed = config.texts("layer_types").isEmpty()
                ? config.flag(true, "use_sliding_window")
                : config.texts("layer_types").contains("sliding_attention");
        if (window < 1 || !windowed) {
            return attention.causal();
        }
        int first = config.integerOr(0, "max_window_layers");
        boolean[] sliding = config.sliding(layers(), index -> index < first);
        return sliding[layer] ? attention.causal(window) : attention.causal();
    }

    double scale() {
        return 1 / Math.sqrt(headWidth);
    }

    @Override
    Value layer(int layer, Value x) {
        String at = "layers." + layer + ".";
        x = blocks.add(x, attend(layer, at, norm(x, at + "input_layernorm", width)));
        return blocks.add(x, mlp(at, norm(x, at + "post_attention_layernorm", width)));
    }

    final Value attend(int layer, String at, Value normed) {
        String self = at + "self_attn.";
        int all = heads * headWidth;
        int few = keyValueHeads * headWidth;
        List<String> names = List.of(self + "q_proj", self + "k_proj", self + "v_proj");
        boolean biased = config.flag(traits.biased(), "attention_bias");
        List<Value> qkv =
                blocks.split(blocks.linear(normed, width, new int[] {all, few, few}, biased, names), all, few, few);
        Value q = turned(layer, qkv.get(0), heads, self + "q_norm");
        Value k = turned(layer, qkv.get(1), keyValueHeads, self + "k_norm");
        List<Value> repeated =
                List.of(q, attention.repeat(k, keyValueHeads), attention.repeat(qkv.get(2), keyValueHeads));
        return blocks.linear(
                attention.attend(repeated, scale(), bias(layer)),
                all,
                width,
                config.flag(false, "attention_bias"),
                self + "o_proj");
    }

    private Value turned(int layer, Value x, int count, String normName) {
        if (traits.headNorms()) {
            Value apart = norm(blocks.reshape(x, 0, 0, count, headWidth), normName, headWidth);
            x = blocks.reshape(apart, 0, 0, (long) count * headWidth);
        }
        return attention.rotate(x, count, headWidth, rotary(layer), config.integer("max_position_embeddings"));
    }

    final Value mlp(String at, Value normed) {
        String function = config.text("silu", "hidden_act", "hidden_activation");
        List<String> names = List.of(at + "mlp.gate_proj", at + "mlp.up_proj", at + "mlp.down_proj");
        return blocks.gatedMlp(normed, width, inner, config.flag(false, "mlp_bias"), function, names);
    }

    @Override
    Value finish(Value x) {
        return norm(x, "norm", width);
    }

    @Override
    Value logits(Value hidden) {
        Operators outside = blocks.outside();
        int labels = outside.tensors().rows("score.weight");
        return outside.linear(tokens.last(hidden), width, labels, false, "score");
    }
}
