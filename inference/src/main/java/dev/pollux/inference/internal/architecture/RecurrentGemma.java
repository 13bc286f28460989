package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.KeyBias;
import dev.pollux.inference.internal.layer.LinearAttention;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Recurrence;
import dev.pollux.inference.internal.layer.Residual;
import java.util.List;
import java.util.function.Supplier;

/**
 * RecurrentGemma (Google, arXiv:2404.07839): two blocks of the RG-LRU (Griffin, De et al., arXiv:2402.19427) to one of attention
 * with a window.
 */
final class RecurrentGemma extends Transformer {

    private final int width = settings.integer("lru_width", config.hiddenSize());
    private Value first = Value.NONE; // 1 for the first token of a text, else 0

    RecurrentGemma(Blocks b) {
        super(b);
    }

    @Override
    Norm norm() {
        return super.norm().withOffset(1);
    }

    /** The factor is rounded to bfloat16, as the reference has it. */
    @Override
    Value embedding() {
        return b.scaled(super.embedding(), KeyBias.bfloat16((float) Math.sqrt(config.hiddenSize())));
    }

    @Override
    String finalNorm() {
        return "model.final_norm.weight";
    }

    @Override
    double rotatedShare() {
        return 0.5;
    }

    @Override
    String activation() {
        return settings.text("hidden_activation", "gelu_pytorch_tanh");
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, settings.number("logits_soft_cap", 30));
    }

    @Override
    void layer(int layer, String p, Residual x) {
        Value normed = x.norm(norm(), p + "norm1", at(layer) + "temporal_pre_norm.weight");
        String at = at(layer) + "temporal_block.";
        x.add(
                isRecurrent(layer)
                        ? recurrent(layer, p, at, normed)
                        : attention(layer, p).write(normed, at));
        Value inner = x.norm(norm(), p + "norm2", at(layer) + "channel_pre_norm.weight");
        x.add(b.gatedMlp(p + "mlp.", inner, at(layer) + "mlp_block.", config.intermediateSize() / 2, activation()));
    }

    private boolean isRecurrent(int layer) {
        List<String> stored = settings.texts("block_types");
        List<String> types = stored.isEmpty() ? List.of("recurrent", "recurrent", "attention") : stored;
        return types.get(layer % types.size()).equals("recurrent");
    }

    @Override
    Attention attention(int layer, String p) {
        return super.attention(layer, p).window(settings.integer("attention_window_size", 2048));
    }

    /** out(act(y) · h) with h = a h + √(1 − a²) (i · conv(x)), for each channel; the first token has no factor. */
    private Value recurrent(int layer, String p, String at, Value normed) {
        int hidden = config.hiddenSize();
        Recurrence r = new Recurrence(b, layer, p);
        Value y = b.project(normed, p + "y.in", at + "linear_y.weight", width, hidden);
        Value x = b.project(normed, p + "x.in", at + "linear_x.weight", width, hidden);
        Value mixed = r.convolution(x, at + "conv_1d.weight", width, "none");
        Value decay = decay(p, at + "rg_lru.", mixed);
        Value square = b.op("Exp", p + "a.square", b.op("Mul", p + "a.twice", decay, b.constant(2)));
        Value rest = b.op("Sqrt", p + "a.rest", b.op("Sub", p + "a.left", b.constant(1), square));
        Value share = b.op("Max", p + "share", rest, first());
        Value open = b.op("Mul", p + "x.open", mixed, gate(p + "input", at + "rg_lru.input_gate", mixed));
        Value ones = b.op("Add", p + "ones", b.op("Sub", p + "zeros", decay, decay), b.constant(1));
        Value state = r.linearAttention(
                new LinearAttention(ones, ones, b.op("Mul", p + "v", open, share), decay, Value.NONE, width, 1, 1, 1));
        Value gated = b.op("Mul", p + "gated", state, b.activation(activation(), y, p + "y.active"));
        return b.project(gated, p + "out", at + "linear_out.weight", hidden, width);
    }

    private Value first() {
        if (first.isNone()) {
            int rows = b.contextLength;
            Supplier<float[]> table = () -> {
                float[] values = new float[rows]; // (rows, 1)
                values[0] = 1;
                return values;
            };
            first = b.lowering().byPosition("first.token", table, rows, 1);
        }
        return first;
    }

    /** log a = −8 · softplus(Λ) · r. */
    private Value decay(String p, String at, Value x) {
        Supplier<float[]> stored = b.tensors.vectorLater(at + "recurrent_param", width);
        Value rate = b.graph.floats(
                p + "rate",
                () -> {
                    float[] values = stored.get();
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) (-8 * (values[i] > 20 ? values[i] : Math.log1p(Math.exp(values[i]))));
                    }
                    return values;
                },
                width);
        return b.op("Mul", p + "decay", gate(p + "recurrent", at + "recurrent_gate", x), rate);
    }

    /** The sigmoid of a product with a matrix (in, out) and a bias for each block of channels. */
    private Value gate(String output, String name, Value x) {
        int blocks = config.heads();
        int each = width / blocks;
        Value byBlock = b.perToken(x, output + ".blocks", blocks, 1, each);
        Value matrices = b.graph.floats(
                output + ".weight", b.tensors.vectorLater(name + "_weight", width * each), blocks, each, each);
        Value product = b.perToken(b.op("MatMul", output + ".product", byBlock, matrices), output + ".flat", width);
        Value bias = b.graph.floats(output + ".bias", b.tensors.vectorLater(name + "_bias", width), width);
        return b.op("Sigmoid", output + ".gate", b.op("Add", output + ".raw", product, bias));
    }
}
