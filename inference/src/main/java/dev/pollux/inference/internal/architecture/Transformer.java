package dev.pollux.inference.internal.architecture;

import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.LongRotary;
import dev.pollux.inference.internal.layer.Norm;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The common structure of most families. A family overrides the parts that differ.
 *
 * <pre>
 * x = embed(ids)
 * per layer:  x += attention(norm(x));  x += mlp(norm(x))
 * logits = head(norm(x)[logits_index])
 * </pre>
 */
abstract class Transformer implements Architecture {

    final Blocks b;
    final ModelConfig config;
    final Settings settings;
    private @Nullable Rotary rotary;

    Transformer(Blocks b) {
        this.b = b;
        this.config = b.config;
        this.settings = b.settings;
    }

    @Override
    public final int layers() {
        return config.layers();
    }

    @Override
    public final Residual embed() {
        return new Residual(b, embedding());
    }

    @Override
    public final void layer(int layer, Residual x) {
        layer(layer, "layers." + layer + ".", x);
    }

    @Override
    public Value normed(Residual x) {
        return x.norm(norm(), "final", finalNorm());
    }

    Value embedding() {
        return b.embed("model.embed_tokens.weight");
    }

    /** The rows of a stored table for the tokens' positions, (batch, tokens, hidden). */
    final Value positions(String table) {
        return positions(table, 0);
    }

    /** The same for a table whose row {@code offset} is that of the first position. */
    final Value positions(String table, int offset) {
        int hidden = config.hiddenSize();
        int rows = b.tensors.require(table).dim(0) - offset;
        b.tensors.vectorLater(table, (rows + offset) * hidden); // checks its shape
        Supplier<float[]> values = () -> b.tensors.floats(table, (long) offset * hidden, rows * hidden);
        return b.lowering().byPosition("position.embedding", values, rows, hidden);
    }

    String finalNorm() {
        return "model.norm.weight";
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, 0);
    }

    Norm norm() {
        return Norm.rms(settings.number("rms_norm_eps", config.normEpsilon()));
    }

    /** The output of one layer. */
    void layer(int layer, String p, Residual x) {
        x.add(attention(layer, p, x.norm(norm(), p + "norm1", at(layer) + "input_layernorm.weight")));
        x.add(mlp(layer, p, x.norm(norm(), p + "norm2", at(layer) + "post_attention_layernorm.weight")));
    }

    /** A norm after a block, before its result is added. */
    final Value after(String output, Value x, String weight) {
        return b.norm(norm(), x, output, weight, config.hiddenSize());
    }

    Value attention(int layer, String p, Value normed) {
        return attention(layer, p).write(normed, at(layer) + "self_attn.");
    }

    /** The description of a layer's attention. */
    Attention attention(int layer, String p) {
        return new Attention(b, layer, p).rotary(rotary());
    }

    Value mlp(int layer, String p, Value normed) {
        return b.gatedMlp(p, normed, at(layer) + "mlp.", config.intermediateSize(), activation());
    }

    String activation() {
        return settings.text("hidden_act", settings.text("hidden_activation", "silu"));
    }

    static String at(int layer) {
        return "model.layers." + layer + ".";
    }

    /** The rotary tables that all layers share. */
    final Rotary rotary() {
        Rotary shared = rotary;
        if (shared == null) {
            shared = newRotary();
            rotary = shared;
        }
        return shared;
    }

    Rotary newRotary() {
        return LongRotary.isAskedFor(ropeSettings())
                ? LongRotary.write(b, ropeSettings())
                : rotary("rotary", ropeSettings(), config.headDim(), false);
    }

    Rotary rotary(String name, Settings rope, int headWidth, boolean interleaved) {
        double theta = rope.number("rope_theta", settings.number("rope_theta", config.rotaryTheta()));
        double part = rope.number("partial_rotary_factor", settings.number("partial_rotary_factor", rotatedShare()));
        int width = (int) (headWidth * part) / 2 * 2;
        RotaryScaling scaling =
                settings.isEmpty() ? config.rotaryScaling() : RotaryScaling.read(rope, config.contextLength());
        return b.rotary(name, width, theta, scaling, interleaved);
    }

    /** The share of a head that rotates unless the configuration has {@code partial_rotary_factor}. */
    double rotatedShare() {
        return 1;
    }

    /**
     * Rotary tables over the whole head. With {@code rope_type} proportional, only the share {@code partial_rotary_factor}
     * of frequencies, the first ones, rotates; the others are 0.
     */
    Rotary proportional(String name, Settings rope, int width) {
        if (!rope.text("rope_type", "default").equals("proportional")) {
            return rotary(name, rope, width, false);
        }
        double theta = rope.number("rope_theta", config.rotaryTheta());
        double[] frequencies = new double[width / 2];
        int turning = (int) (rope.number("partial_rotary_factor", 1) * width / 2);
        for (int i = 0; i < turning; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / width) / rope.positive("factor", 1);
        }
        return b.rotary(name, frequencies, 1, false);
    }

    /** The rotary settings, in the spelling of transformers 5 or 4. */
    Settings ropeSettings() {
        Settings current = settings.at("rope_parameters");
        return current.isEmpty() ? settings.at("rope_scaling") : current;
    }

    /** Whether a layer has a sliding window according to {@code layer_types}. */
    boolean slides(int layer) {
        List<String> types = settings.texts("layer_types");
        return layer < types.size() && types.get(layer).equals("sliding_attention");
    }
}
