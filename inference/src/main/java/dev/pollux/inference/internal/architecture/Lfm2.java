package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.tensor.StackedMatrix;
import java.util.List;

/** LFM2 (Liquid AI, arXiv:2511.23404): short gated convolutions and attention in turns; dense or with experts. */
class Lfm2 extends Transformer {

    Lfm2(Blocks b) {
        super(b);
    }

    @Override
    final Norm norm() {
        return Norm.rms(settings.number("norm_eps", 1e-5));
    }

    @Override
    final String finalNorm() {
        String own = "model.embedding_norm.weight";
        return b.tensors.has(own) ? own : super.finalNorm(); // as some GGUF files have it
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(mixer(layer, p, x.norm(norm(), p + "norm1", at(layer) + "operator_norm.weight")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "ffn_norm.weight")));
    }

    final Value mixer(int layer, String p, Value normed) {
        String type = type(layer);
        return type.equals("conv") ? convolution(layer, p, normed) : attention(layer, p, normed);
    }

    private String type(int layer) {
        List<String> types = settings.texts("layer_types");
        if (layer < types.size()) {
            return types.get(layer);
        }
        return settings.numbers("full_attn_idxs").contains((double) layer) ? "full_attention" : "conv";
    }

    /** out(C · conv(B · x)), with B, C and x of one product. */
    private Value convolution(int layer, String p, Value normed) {
        String at = at(layer) + "conv.";
        int hidden = config.hiddenSize();
        Value all = b.project(normed, p + "in", at + "in_proj.weight", 3 * hidden, hidden);
        List<Value> parts = b.split(all, List.of(p + "B", p + "C", p + "x"), hidden, hidden, hidden);
        Value gated = b.op("Mul", p + "Bx", parts.get(0), parts.get(2));
        Value mixed = new Recurrence(b, layer, p).convolution(gated, at + "conv.weight", hidden, "none");
        return b.project(b.op("Mul", p + "y", parts.get(1), mixed), p + "out", at + "out_proj.weight", hidden, hidden);
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        Attention attention =
                attention(layer, p).headNorms(norm(), at + "q_layernorm.weight", at + "k_layernorm.weight");
        return attention.output(attention.attend(attention.project(normed, at)), at + "out_proj.weight");
    }

    /** The width comes from the matrices: configurations contain it before rounding. */
    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "feed_forward.";
        return b.tensors.has(at + "gate.weight") ? experts(at, p, normed) : dense(at, p, normed);
    }

    private Value dense(String at, String p, Value x) {
        int width = b.tensors.require(at + "w1.weight").dim(0);
        StackedMatrix gateUp = b.matrix(config.hiddenSize(), at + "w1.weight", at + "w3.weight");
        return b.gated(p, x, gateUp, at + "w2.weight", width, "silu");
    }

    /** The bias of an expert affects only the choice. */
    private Value experts(String at, String p, Value normed) {
        Experts experts =
                new Experts(b, p, normed, settings.integer("num_experts"), settings.integer("num_experts_per_tok"));
        Value scores = b.op("Sigmoid", p + "scores", experts.logits(at + "gate.weight"));
        boolean biased = settings.flag("use_expert_bias", true);
        String bias = at + "expert_bias";
        String stored = b.tensors.has(bias) ? bias : bias + ".bias"; // as GGUF files have it
        Value choice = biased ? experts.biased(scores, stored) : scores;
        double epsilon = settings.flag("norm_topk_prob", true) ? 1e-6 : -1;
        Value weights = experts.chosenBy(scores, choice, epsilon, settings.number("routed_scaling_factor", 1));
        return experts.write(weights, (e, q, x) -> dense(at + "experts." + e + ".", q, x));
    }
}
