package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Experts;
import dev.pollux.tensor.StackedMatrix;
import java.util.List;

/**
 * gpt-oss (OpenAI, arXiv:2508.10925): attention sinks, every other layer slides, experts with biases and a clamped gate whose
 * matrices are stored (experts, in, out) with gate and up in turns.
 */
final class GptOss extends Transformer {

    GptOss(Blocks b) {
        super(b);
    }

    @Override
    Attention attention(int layer, String p) {
        String sinks = at(layer) + "self_attn.sinks";
        return super.attention(layer, p)
                .sinks(b.tensors.has(sinks) ? sinks : sinks + ".weight") // as GGUF files have it
                .window(slidesHere(layer) ? settings.integer("sliding_window") : 0);
    }

    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        Experts experts = new Experts(
                b, p, normed, settings.integer("num_local_experts"), settings.integer("num_experts_per_tok"));
        Value weights = experts.softmaxOfChosen(experts.logits(at + "router.weight"));
        return experts.write(weights, (e, q, x) -> expert(at + "experts.", e, q, x));
    }

    /** Where layers are not listed, the even ones slide. */
    private boolean slidesHere(int layer) {
        return settings.has("layer_types") ? slides(layer) : layer % 2 == 0;
    }

    /** down((up + 1) · gate · sigmoid(α gate)), with gate and up clamped. */
    private Value expert(String at, int e, String q, Value x) {
        int hidden = config.hiddenSize();
        int width = config.intermediateSize();
        String own = at + e + ".";
        boolean apart = b.tensors.has(own + "gate_proj.weight"); // as GGUF files have it
        StackedMatrix both = apart
                ? b.matrix(hidden, own + "gate_proj.weight", own + "up_proj.weight")
                : b.matrix(hidden, turned(at + "gate_up_proj", e, hidden, 2 * width, true));
        String down = apart ? own + "down_proj.weight" : turned(at + "down_proj", e, width, hidden, false);
        Value gateUp = b.linear(x, q + "gate_up", both.requireRows(2 * width));
        List<Value> parts = b.split(gateUp, List.of(q + "g", q + "u"), width, width);
        Value limit = b.constant(settings.number("swiglu_limit", 7));
        Value gate = b.op("Min", q + "gate", parts.get(0), limit);
        Value up = b.op(
                "Max",
                q + "up",
                b.op("Min", q + "u.high", parts.get(1), limit),
                b.constant(-settings.number("swiglu_limit", 7)));
        Value sigmoid = b.op(
                "Sigmoid",
                q + "sigmoid",
                b.op("Mul", q + "alpha", gate, b.constant(settings.number("swiglu_alpha", 1.702))));
        Value glu = b.op("Mul", q + "glu", gate, sigmoid);
        Value gated = b.op("Mul", q + "gated", b.op("Add", q + "up.one", up, b.constant(1)), glu);
        return b.project(gated, q + "down", down, hidden, width);
    }

    /** Expert {@code e} of (experts, in, out) as (out, in), its bias beside it; of rows in turns the even ones first. */
    private String turned(String stored, int e, int in, int out, boolean inTurns) {
        String name = stored + "." + e;
        b.tensors.define(name + ".bias", stored + "_bias", 1, out, () -> {
            float[] values = b.tensors.floats(stored + "_bias", (long) e * out, out);
            float[] ordered = new float[out];
            for (int o = 0; o < out; o++) {
                ordered[row(o, out, inTurns)] = values[o];
            }
            return ordered;
        });
        return b.tensors.define(name + ".weight", stored, out, in, () -> {
            float[] values = b.tensors.floats(stored, (long) e * in * out, in * out); // (in, out)
            float[] turned = new float[values.length]; // (out, in)
            for (int i = 0; i < in; i++) {
                for (int o = 0; o < out; o++) {
                    turned[row(o, out, inTurns) * in + i] = values[i * out + o];
                }
            }
            return turned;
        });
    }

    private static int row(int o, int out, boolean inTurns) {
        return inTurns ? o / 2 + o % 2 * (out / 2) : o;
    }
}
