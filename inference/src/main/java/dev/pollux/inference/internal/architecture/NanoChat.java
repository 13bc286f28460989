package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;

/** nanochat (Karpathy): norms without weights, also of the embedding and of rotated q and k; rotation to the other side. */
final class NanoChat extends Transformer {

    NanoChat(Blocks b) {
        super(b);
    }

    @Override
    Value embedding() {
        return after("embedded", super.embedding(), "");
    }

    @Override
    String finalNorm() {
        return "";
    }

    @Override
    Rotary newRotary() {
        Settings rope = ropeSettings();
        int width = config.headDim();
        double theta = rope.number("rope_theta", settings.number("rope_theta", 10_000));
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / width);
        }
        RotaryScaling scaling = RotaryScaling.read(rope, config.contextLength());
        double[] reversed = scaling.apply(frequencies, theta).clone();
        for (int i = 0; i < reversed.length; i++) {
            reversed[i] = -reversed[i];
        }
        return b.rotary("rotary", reversed, scaling.attentionFactor(), false);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        x.add(attention(layer, p, x.norm(norm(), p + "norm1", "")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", "")));
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        String at = at(layer) + "self_attn.";
        int own = config.heads() * config.headDim();
        int few = config.keyValueHeads() * config.headDim();
        Attention attention = new Attention(b, layer, p);
        List<Value> qkv = b.split(attention.project(normed, at), List.of(p + "q", p + "k", p + "v"), own, few, few);
        Value q = turned(qkv.get(0), config.heads());
        Value k = turned(qkv.get(1), config.keyValueHeads());
        return attention.output(attention.attend(q, k, qkv.get(2)), at + "o_proj.weight");
    }

    private Value turned(Value x, int count) {
        int width = config.headDim();
        Value rotated = b.lowering().rotate(x, count, rotary());
        Value byHead = b.perToken(rotated, x.name() + ".heads", count, width);
        return b.perToken(
                b.norm(norm(), byHead, x.name() + ".heads.normed", "", width),
                x.name() + ".turned",
                (long) count * width);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        String activation = settings.text("hidden_act", "relu2");
        return b.plainMlp(p, normed, at + "fc1.weight", at + "fc2.weight", activation);
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, settings.number("final_logit_softcapping", 0));
    }
}
