package dev.pollux.inference.internal.architecture;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gemma 4 (Google): a separate input per layer, wider heads on full layers, and upper layers that use the keys and values
 * of lower ones. Each of these upper layers has its own cache with equal content.
 */
final class Gemma4 extends Transformer {

    private final int perLayer = settings.count("hidden_size_per_layer_input", 0);
    private final int firstShared = config.layers() - settings.count("num_kv_shared_layers", 0);
    private List<Value> inputs = List.of(); // one a layer
    private final Map<Boolean, Value> keys = new HashMap<>(); // by whether the layer slides, the latest
    private final Map<Boolean, Value> values = new HashMap<>();
    private final Map<Boolean, Rotary> rotaries = new HashMap<>();

    Gemma4(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        Value x = b.scaled(super.embedding(), Math.sqrt(config.hiddenSize()));
        if (perLayer > 0) {
            inputs = LayerInputs.write(this, x, perLayer);
        }
        return x;
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value attended = attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight"));
        x.add(after(p + "norm2", attended, at(layer) + "post_attention_layernorm.weight"));
        Value written = mlp(layer, p, x.norm(norm(), p + "norm3", at(layer) + "pre_feedforward_layernorm.weight"));
        if (settings.flag("enable_moe_block", false)) {
            Value alone = after(p + "norm3.1", written, at(layer) + "post_feedforward_layernorm_1.weight");
            Value routed = after(
                    p + "norm3.2", experts(layer, p, x.value()), at(layer) + "post_feedforward_layernorm_2.weight");
            written = b.op("Add", p + "moe", alone, routed);
        }
        x.add(after(p + "norm4", written, at(layer) + "post_feedforward_layernorm.weight"));
        if (perLayer > 0) {
            int hidden = config.hiddenSize();
            Value gate =
                    b.project(x.value(), p + "input.gate", at(layer) + "per_layer_input_gate.weight", perLayer, hidden);
            Value open = b.op(
                    "Mul", p + "input.gated", b.activation(activation(), gate, p + "input.active"), inputs.get(layer));
            Value wide = b.project(open, p + "input.wide", at(layer) + "per_layer_projection.weight", hidden, perLayer);
            x.add(after(p + "norm5", wide, at(layer) + "post_per_layer_input_norm.weight"));
        }
        if (b.tensors.has(at(layer) + "layer_scalar")) {
            x.scale(b.tensors.vector(at(layer) + "layer_scalar", 1)[0]);
        }
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        boolean slides = slides(layer);
        String at = at(layer) + "self_attn.";
        int width = perLayer(layer, "head_dim", slides ? "head_dim" : "global_head_dim", config.headDim());
        int narrow = perLayer(
                layer,
                "num_key_value_heads",
                slides ? "num_key_value_heads" : "num_global_key_value_heads",
                config.keyValueHeads());
        Attention attention = new Attention(b, layer, p)
                .heads(config.heads(), narrow, width)
                .scale(1)
                .rotary(rotaries.computeIfAbsent(slides, key -> rotary(key, width)))
                .window(slides ? settings.integer("sliding_window") : 0)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
        Value q = b.project(normed, p + "q", at + "q_proj.weight", config.heads() * width, config.hiddenSize());
        if (layer < firstShared) {
            Value k = b.project(normed, p + "k", at + "k_proj.weight", narrow * width, config.hiddenSize());
            boolean own = b.tensors.has(at + "v_proj.weight"); // else values are the keys as they were projected
            Value v = own ? b.project(normed, p + "v", at + "v_proj.weight", narrow * width, config.hiddenSize()) : k;
            keys.put(slides, attention.key(k));
            values.put(slides, normedValues(p, v, narrow, width));
        }
        return attention.output(
                attention.attendPrepared(q, latest(keys, slides), latest(values, slides)), at + "o_proj.weight");
    }

    /** A layer that shares keys and values needs a lower layer of the same kind. */
    private Value latest(Map<Boolean, Value> ofKind, boolean slides) {
        Value found = ofKind.get(slides);
        if (found == null) {
            throw new MalformedFileException(settings.file() + ": num_kv_shared_layers leaves no layer of its own kind"
                    + " below a layer that shares keys and values");
        }
        return found;
    }

    private Value normedValues(String p, Value v, int count, int width) {
        Value byHead = b.perToken(v, p + "values.heads", count, width);
        Value normed = b.norm(norm(), byHead, p + "values.normed", "", width);
        return b.perToken(normed, p + "values", (long) count * width);
    }

    private Rotary rotary(boolean slides, int width) {
        String type = slides ? "sliding_attention" : "full_attention";
        return proportional("rotary." + type, settings.at("rope_parameters").at(type), width);
    }

    /** A setting that differs for a layer: stored under its index, or under a name for full layers. */
    private int perLayer(int layer, String key, String ofKind, int fallback) {
        Settings own = settings.at("per_layer_config").at(Integer.toString(layer));
        return own.has(key) ? own.integer(key) : settings.integer(ofKind, fallback);
    }

    /** Upper layers may have wider MLPs. */
    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        return b.gatedMlp(
                p, normed, at, b.tensors.require(at + "gate_proj.weight").dim(0), activation());
    }

    /** Experts in parallel with the MLP, each with a factor. The router has its own norm and scale of the stream. */
    private Value experts(int layer, String p, Value stream) {
        int hidden = config.hiddenSize();
        int count = settings.integer("num_experts");
        int width = settings.integer("moe_intermediate_size");
        String at = at(layer) + "experts.";
        String router = at(layer) + "router.";
        Value x = b.norm(norm(), stream, p + "norm3.0", at(layer) + "pre_feedforward_layernorm_2.weight", hidden);
        Experts experts = new Experts(b, p, x, count, settings.integer("top_k_experts"));
        float[] scales = b.tensors.vector(router + "scale", hidden);
        for (int i = 0; i < hidden; i++) {
            scales[i] /= (float) Math.sqrt(hidden);
        }
        Value plain =
                b.reshaped(b.norm(norm(), stream, p + "router.normed", "", hidden), p + "router.flat", -1, hidden);
        Value read = b.op("Mul", p + "router.x", plain, b.graph.floats(p + "router.scale", () -> scales, hidden));
        Value weights = experts.chosenOfSoftmax(experts.logits(read, router + "proj.weight"), true);
        float[] factors = b.tensors.vector(router + "per_expert_scale", count);
        return experts.write(
                weights, (e, q, own) -> b.scaled(experts.gated(at, e, q, own, width, activation()), factors[e]));
    }

    @Override
    String activation() {
        return settings.text("hidden_activation", "gelu_pytorch_tanh");
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, settings.number("final_logit_softcapping", 0));
    }
}
