package dev.pollux.inference.decoder;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Settings;
import java.util.List;

/**
 * Phi 3 and 4 (Abdin et al., arXiv:2404.14219): q, k, v and gate, up are stored as one; LongRoPE (arXiv:2402.13753) has one
 * set of factors for sequences up to the original context and one for longer ones.
 */
final class Phi3 extends Transformer {

    Phi3(Blocks b) {
        super(b);
    }

    @Override
    Rotary newRotary() {
        Settings rope = ropeSettings();
        if (!rope.text("rope_type", rope.text("type", "default")).equals("longrope")) {
            return super.newRotary();
        }
        double part = rope.number("partial_rotary_factor", settings.number("partial_rotary_factor", 1));
        double theta = rope.number("rope_theta", settings.number("rope_theta", 10_000));
        int original = settings.integer("original_max_position_embeddings", (int)
                rope.positive("original_max_position_embeddings", config.contextLength()));
        double ratio = rope.number("factor", (double) config.contextLength() / original);
        double factor =
                rope.number("attention_factor", ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original)));
        int width = (int) (config.headDim() * part);
        double[] upTo = frequencies(rope, "short_factor", width, theta);
        return b.switchedRotary(upTo, frequencies(rope, "long_factor", width, theta), original, factor);
    }

    private double[] frequencies(Settings rope, String key, int width, double theta) {
        List<Double> factors = rope.numbers(key);
        if (factors.size() != width / 2 || factors.stream().anyMatch(factor -> factor <= 0)) {
            throw new MalformedFileException(
                    rope.file() + ": " + key + " must hold " + width / 2 + " numbers above 0 but held " + factors);
        }
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = 1 / (factors.get(i) * Math.pow(theta, 2.0 * i / width));
        }
        return frequencies;
    }

    @Override
    String attention(int layer, String p, String normed) {
        Attention attention = new Attention(b, layer, p).rotary(rotary()).window(settings.integer("sliding_window", 0));
        String at = at(layer) + "self_attn.";
        String qkv = attention.project(normed, b.matrix(config.hiddenSize(), at + "qkv_proj.weight"));
        return attention.output(attention.attend(qkv), at + "o_proj.weight");
    }

    @Override
    String mlp(int layer, String p, String normed) {
        Matrix gateUp = b.matrix(config.hiddenSize(), at(layer) + "mlp.gate_up_proj.weight");
        String down = at(layer) + "mlp.down_proj.weight";
        return b.gated(p, normed, gateUp, down, config.intermediateSize(), activation());
    }
}
