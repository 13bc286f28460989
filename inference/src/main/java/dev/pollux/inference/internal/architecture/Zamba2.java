package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Mamba2Mixer;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Zamba 2 (Zyphra, arXiv:2411.15242): Mamba-2, and before some layers of it one of a few shared blocks of attention and MLP,
 * which reads the stream and the embedding and has low-rank additions for each place.
 */
final class Zamba2 extends Transformer {

    private final List<String> types = settings.texts("layers_block_type");
    private final List<Integer> hybrids = IntStream.range(0, types.size())
            .filter(i -> types.get(i).equals("hybrid"))
            .boxed()
            .toList();
    private final int wide = 2 * config.hiddenSize();
    private final int width = wide / Math.max(1, config.heads());
    private Value embedded = Value.NONE;

    Zamba2(Blocks b) {
        super(b);
        if (types.isEmpty() || settings.flag("use_long_context", false)) {
            throw new UnsupportedModelException(settings.file()
                    + ": Zamba 2 is supported only with layers_block_type and" + " with use_long_context false");
        }
    }

    @Override
    Value embedding() {
        embedded = super.embedding();
        return embedded;
    }

    @Override
    String finalNorm() {
        return "model.final_layernorm.weight";
    }

    @Override
    Rotary newRotary() {
        return rotary("rotary", ropeSettings(), width, false);
    }

    @Override
    String activation() {
        return settings.text("hidden_act", "gelu");
    }

    @Override
    void layer(int layer, String p, Residual x) {
        int place = hybrids.indexOf(layer);
        if (place < 0) {
            String at = at(layer);
            x.add(mixer(at + "mamba.").write(b, layer, p, x.norm(norm(), p + "norm", at + "input_layernorm.weight")));
            return;
        }
        int hidden = config.hiddenSize();
        Value shared = shared(layer, place, p + "shared.", x.value());
        Value linear = b.project(shared, p + "linear", at(layer) + "linear.weight", hidden, hidden);
        String at = at(layer) + "mamba_decoder.";
        Value sum = b.op("Add", p + "mamba.read", x.value(), linear);
        Value normed = b.norm(norm(), sum, p + "norm", at + "input_layernorm.weight", hidden);
        x.add(mixer(at + "mamba.").write(b, layer, p, normed));
    }

    private Mamba2Mixer mixer(String at) {
        int heads = settings.integer("n_mamba_heads", 8);
        return new Mamba2Mixer(
                at,
                heads,
                settings.integer("mamba_expand", 2) * config.hiddenSize() / heads,
                settings.integer("mamba_ngroups", 1),
                settings.integer("mamba_d_state", 64),
                1e-5,
                new Mamba2Mixer.Limits(settings.number("time_step_min", 0.001), Double.POSITIVE_INFINITY),
                "silu",
                Mamba2Mixer.Gating.BEFORE_NORM);
    }

    /** The shared block of place {@code place}; it is stored at its first place, or at each. */
    private Value shared(int layer, int place, String p, Value stream) {
        int first = hybrids.get(place % Math.min(hybrids.size(), settings.integer("num_mem_blocks", 1)));
        String own = at(layer) + "shared_transformer.";
        String at = b.tensors.has(own + "input_layernorm.weight") ? own : at(first) + "shared_transformer.";
        Value both = b.op("Concat", p + "both", List.of(stream, embedded), Map.of("axis", -1));
        Value normed = b.norm(norm(), both, p + "norm1", at + "input_layernorm.weight", wide);
        Value attended = attention(layer, place, p, at + "self_attn.", normed);
        Value inner = b.norm(norm(), attended, p + "norm2", at + "pre_ff_layernorm.weight", config.hiddenSize());
        return mlp(place, p, at + "feed_forward.", inner);
    }

    private Value attention(int layer, int place, String p, String at, Value normed) {
        int few = config.keyValueHeads();
        Attention attention =
                new Attention(b, layer, p).heads(config.heads(), few, width).scale(1 / Math.sqrt(width / 2.0));
        if (settings.flag("use_mem_rope", false)) {
            attention.rotary(rotary());
        }
        Value attended = attention.attend(
                adapted(place, p, at, "q", new Projected(normed, config.heads() * width)),
                adapted(place, p, at, "k", new Projected(normed, few * width)),
                adapted(place, p, at, "v", new Projected(normed, few * width)));
        return attention.output(attended, at + "o_proj.weight");
    }

    private Value adapted(int place, String p, String at, String part, Projected of) {
        Value whole = b.project(of.normed(), p + part, at + part + "_proj.weight", of.rows(), wide);
        if (!settings.flag("use_shared_attention_adapter", false)) {
            return whole;
        }
        return lowRank(whole, at + "linear_" + part + "_adapter_list." + place + ".", of.normed(), wide, of.rows());
    }

    /** What a matrix is multiplied with, and how many rows it has. */
    private record Projected(Value normed, int rows) {}

    /** y plus a product with two narrow matrices. */
    private Value lowRank(Value y, String at, Value x, int columns, int rows) {
        int rank = b.tensors.require(at + "0.weight").dim(0);
        Value low = b.project(x, y.name() + ".narrow", at + "0.weight", rank, columns);
        Value high = b.project(low, y.name() + ".addition", at + "1.weight", rows, rank);
        return b.op("Add", y.name() + ".adapted", y, high);
    }

    private Value mlp(int place, String p, String at, Value x) {
        int hidden = config.hiddenSize();
        int inner = settings.integer("intermediate_size", 4 * hidden);
        Value whole = b.project(x, p + "gate_up", at + "gate_up_proj.weight", 2 * inner, hidden);
        Value both = lowRank(whole, at + "gate_up_proj_adapter_list." + place + ".", x, hidden, 2 * inner);
        List<Value> parts = b.split(both, List.of(p + "gate", p + "up"), inner, inner);
        Value gated = b.op("Mul", p + "gated", b.activation(activation(), parts.get(0), p + "active"), parts.get(1));
        return b.project(gated, p + "down", at + "down_proj.weight", hidden, inner);
    }
}
