package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;
import java.util.Map;

/**
 * Apertus (Swiss AI, arXiv:2509.14233): q and k normalized head by head, a plain MLP with xIELU (Huang and Schlag,
 * arXiv:2411.13010), whose two parameters are trained.
 */
final class Apertus extends Transformer {

    Apertus(Blocks b) {
        super(b);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "attention_layernorm.weight")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "feedforward_layernorm.weight")));
    }

    @Override
    Attention attention(int layer, String p) {
        String at = at(layer) + "self_attn.";
        return super.attention(layer, p).headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "xielu");
        if (!activation.equals("xielu")) {
            return b.plainMlp(p, normed, at + "up_proj.weight", at + "down_proj.weight", activation);
        }
        int width = config.intermediateSize();
        Value inner = b.project(normed, p + "up", at + "up_proj.weight", width, config.hiddenSize());
        return b.project(
                xielu(p, at + "act_fn.", inner), p + "down", at + "down_proj.weight", config.hiddenSize(), width);
    }

    /** αp x² + βx for x above 0, else αn (exp(min(x, ε)) − 1 − x) + βx; αp and αn − β are stored before a softplus. */
    private Value xielu(String p, String at, Value x) {
        double beta = stored(at + "beta", 0.5);
        double most = stored(at + "eps", -1e-6);
        double above = softplus(b.tensors.vector(at + "alpha_p", 1)[0]);
        double below = beta + softplus(b.tensors.vector(at + "alpha_n", 1)[0]);
        Value square = b.op("Mul", p + "xielu.square", x, x);
        Value convex = b.op("Mul", p + "xielu.above", square, b.constant(above));
        Value low = b.op("Min", p + "xielu.low", x, b.constant(most));
        Value grown =
                b.op("Elu", p + "xielu.expm1", List.of(low), Map.of("alpha", 1f)); // exp(x) − 1 where x is below 0
        Value curved = b.op("Mul", p + "xielu.below", b.op("Sub", p + "xielu.curve", grown, x), b.constant(below));
        Value positive = b.op("Greater", p + "xielu.positive", x, b.constant(0));
        Value chosen = b.op("Where", p + "xielu.chosen", positive, convex, curved);
        return b.op("Add", p + "xielu", chosen, b.op("Mul", p + "xielu.linear", x, b.constant(beta)));
    }

    private double stored(String name, double fallback) {
        return b.tensors.has(name) ? b.tensors.vector(name, 1)[0] : fallback;
    }

    private static double softplus(double x) {
        return x > 20 ? x : Math.log1p(Math.exp(x));
    }
}
