package dev.pollux.inference.internal.architecture;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.layer.Attention;
import dev.pollux.inference.internal.layer.Blocks;
import dev.pollux.inference.internal.layer.Linear;
import dev.pollux.inference.internal.layer.Residual;
import dev.pollux.inference.internal.layer.Rotary;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Gemma 3n (Google): several streams of which a layer computes one and predicts the others (AltUp, Baykal et al.,
 * arXiv:2301.13310), low-rank residuals, inputs per layer, sparse MLPs, and upper layers that use the keys and values of lower ones.
 */
final class Gemma3n extends Transformer {

    private final int count = settings.integer("altup_num_inputs", 4);
    private final int active = settings.count("altup_active_idx", 0);
    private final int perLayer = settings.integer("hidden_size_per_layer_input", 256);
    private final int firstShared = config.layers() - settings.count("num_kv_shared_layers", 15);
    private final Map<Boolean, Value> keys = new HashMap<>(); // by whether the layer slides, the latest
    private final Map<Boolean, Value> values = new HashMap<>();
    private final Map<Boolean, Rotary> rotaries = new HashMap<>();
    private List<Value> inputs = List.of(); // one a layer
    private Value streams = Value.NONE; // (batch, tokens, streams, hidden)

    Gemma3n(Blocks b) {
        super(b);
        for (boolean slides : List.of(true, false)) {
            String type = slides ? "sliding_attention" : "full_attention";
            Settings own = settings.at("rope_parameters").at(type);
            double local = settings.number("rope_local_base_freq", 10_000);
            rotaries.put(
                    slides,
                    slides && own.isEmpty()
                            ? b.rotary("rotary." + type, config.headDim(), local, new RotaryScaling.None(), false)
                            : rotary("rotary." + type, own.isEmpty() ? ropeSettings() : own, config.headDim(), false));
        }
    }

    @Override
    Value embedding() {
        Value x = b.scaled(super.embedding(), Math.sqrt(config.hiddenSize()));
        inputs = LayerInputs.write(this, x, perLayer);
        List<Value> all = new ArrayList<>(List.of(x));
        for (int i = 1; i < count; i++) {
            all.add(alike(x, x, "stream." + i, "model.altup_projections." + (i - 1) + ".weight"));
        }
        streams = b.perToken(
                b.op("Concat", "streams.flat", all, Map.of("axis", -1)), "streams", count, config.hiddenSize());
        return x;
    }

    /** A projection of {@code x} with the root mean square of {@code like}. */
    private Value alike(Value x, Value like, String output, String weight) {
        int hidden = config.hiddenSize();
        Value projected = b.project(x, output + ".projected", weight, hidden, hidden);
        Value own = b.op("Max", output + ".square", meanSquare(projected, output), b.constant(1e-5));
        Value due = b.op("Sqrt", output + ".due", meanSquare(like, output + ".like"));
        Value factor = b.op("Div", output + ".factor", due, b.op("Sqrt", output + ".root", own));
        return b.op("Mul", output, projected, factor);
    }

    private Value meanSquare(Value x, String output) {
        return mean(b.op("Mul", output + ".squares", x, x), output, config.hiddenSize());
    }

    private Value mean(Value x, String output, int width) {
        Value sum = b.op("ReduceSum", output + ".sum", x, b.integers("last.axis", -1));
        return b.op("Mul", output + ".mean", sum, b.constant(1.0 / width));
    }

    @Override
    public Value normed(Residual x) {
        List<Value> each = parts("unembed", streams);
        Value sum = each.get(0);
        for (int i = 1; i < count; i++) {
            String weight = "model.altup_unembed_projections." + (i - 1) + ".weight";
            sum = b.op("Add", "unembed.sum." + i, sum, alike(each.get(i), each.get(0), "unembedded." + i, weight));
        }
        x.replace(b.op("Mul", "unembedded", sum, b.constant(1.0 / count)));
        return super.normed(x);
    }

    /** The streams by themselves, each (batch, tokens, hidden). */
    private List<Value> parts(String output, Value all) {
        int hidden = config.hiddenSize();
        int[] widths = new int[count];
        Arrays.fill(widths, hidden);
        List<String> names =
                IntStream.range(0, count).mapToObj(i -> output + ".part." + i).toList();
        return b.split(b.perToken(all, output + ".parts", (long) count * hidden), names, widths);
    }

    @Override
    void layer(int layer, String p, Residual x) {
        String at = at(layer);
        Value predicted =
                predicted(p, at + "altup.", parts(p + "before", streams).get(active));
        Value own = parts(p + "predicted", predicted).get(active);
        int hidden = config.hiddenSize();
        Value normed = b.norm(norm(), own, p + "norm1", at + "input_layernorm.weight", hidden);
        Value attended = after(p + "norm2", attention(layer, p, normed), at + "post_attention_layernorm.weight");
        Value both = b.op("Add", p + "attended", b.op("Add", p + "open", own, attended), laurel(p, at, normed));
        Value mixed = b.op("Mul", p + "mixed", both, b.constant(Math.sqrt(0.5)));
        Value inner = b.norm(norm(), mixed, p + "norm3", at + "pre_feedforward_layernorm.weight", hidden);
        Value written = after(p + "norm4", mlp(layer, p, inner), at + "post_feedforward_layernorm.weight");
        Value activated = b.op("Add", p + "activated", mixed, written);
        Value corrected = corrected(p, at + "altup.", predicted, activated, own);
        Value input = layerInput(layer, p, parts(p + "corrected", corrected).get(active));
        streams = b.op("Add", p + "streams", corrected, others(p, input));
        x.replace(parts(p + "after", streams).get(active));
    }

    /** (1, hidden) for every stream but the first. */
    private Value others(String p, Value x) {
        float[] but = new float[count];
        Arrays.fill(but, 1, count, 1);
        Value mask = b.graph.floats(p + "others.mask", () -> but, count, 1);
        return b.op("Mul", p + "others", b.perToken(x, p + "others.one", 1, config.hiddenSize()), mask);
    }

    /** tanh(W norm(x) / hidden), (batch, tokens, streams). */
    private Value modalities(String p, String at, Value x) {
        int hidden = config.hiddenSize();
        Value normed = b.norm(norm(), x, p + "router.norm", at + "router_norm.weight", hidden);
        Value read = b.op("Mul", p + "router.x", normed, b.constant(1.0 / hidden));
        return b.op("Tanh", p + "modalities", small(p + "routed", read, at + "modality_router.weight", count, hidden));
    }

    /** A product with a matrix that is never rounded. */
    private Value small(String output, Value x, String weight, int rows, int columns) {
        Linear linear = new Linear(b.matrix(columns, weight).requireRows(rows), Linear.Role.ROUTER);
        return b.lowering().linear(x, output, linear);
    }

    private Value predicted(String p, String at, Value x) {
        Value modalities = modalities(p + "predict.", at, x);
        Value flat = small(p + "predict.flat", modalities, at + "prediction_coefs.weight", count * count, count);
        Value factors = b.perToken(flat, p + "predict.factors", count, count);
        return b.op("Add", p + "predictions", b.op("MatMul", p + "predict.mixed", factors, streams), streams);
    }

    private Value corrected(String p, String at, Value predicted, Value activated, Value own) {
        Value modalities = modalities(p + "correct.", at, activated);
        Value flat = small(p + "correct.flat", modalities, at + "correction_coefs.weight", count, count);
        Value factors = b.perToken(b.op("Add", p + "correct.one", flat, b.constant(1)), p + "correct.each", count, 1);
        Value innovation = b.op("Sub", p + "innovation", activated, own);
        Value each = b.perToken(innovation, p + "innovation.one", 1, config.hiddenSize());
        return b.op("Add", p + "corrections", predicted, b.op("Mul", p + "correct.added", factors, each));
    }

    /** x + norm(right(left(x))). */
    private Value laurel(String p, String at, Value x) {
        int rank = settings.integer("laurel_rank", 64);
        int hidden = config.hiddenSize();
        Value low = b.project(x, p + "laurel.left", at + "laurel.linear_left.weight", rank, hidden);
        Value high = b.project(low, p + "laurel.right", at + "laurel.linear_right.weight", hidden, rank);
        return b.op("Add", p + "laurel", x, after(p + "laurel.norm", high, at + "laurel.post_laurel_norm.weight"));
    }

    /** What a layer's input of each token adds to the streams. */
    private Value layerInput(int layer, String p, Value x) {
        String at = at(layer);
        int hidden = config.hiddenSize();
        Value read = x;
        String scale = at + "altup.correct_output_scale";
        Value factors = b.graph.floats(p + "input.factors", b.tensors.vectorLater(scale, hidden), hidden);
        if (settings.flag("altup_correct_scale", true)) {
            read = b.op("Mul", p + "input.read", x, factors);
        }
        Value gate = b.project(read, p + "input.gate", at + "per_layer_input_gate.weight", perLayer, hidden);
        Value open =
                b.op("Mul", p + "input.gated", b.activation(activation(), gate, p + "input.active"), inputs.get(layer));
        Value wide = b.project(open, p + "input.wide", at + "per_layer_projection.weight", hidden, perLayer);
        return after(p + "norm5", wide, at + "post_per_layer_input_norm.weight");
    }

    @Override
    Value attention(int layer, String p, Value normed) {
        boolean slides = settings.has("layer_types") ? slides(layer) : (layer + 1) % 5 != 0;
        String at = at(layer) + "self_attn.";
        int width = config.headDim();
        int few = config.keyValueHeads();
        Attention attention = new Attention(b, layer, p)
                .scale(1)
                .rotary(Objects.requireNonNull(rotaries.get(slides)))
                .window(slides ? settings.integer("sliding_window", 512) : 0)
                .headNorms(norm(), at + "q_norm.weight", at + "k_norm.weight");
        Value q = b.project(normed, p + "q", at + "q_proj.weight", config.heads() * width, config.hiddenSize());
        if (layer < firstShared) {
            Value k = b.project(normed, p + "k", at + "k_proj.weight", few * width, config.hiddenSize());
            Value v = b.project(normed, p + "v", at + "v_proj.weight", few * width, config.hiddenSize());
            keys.put(slides, attention.key(k));
            Value byHead = b.perToken(v, p + "values.heads", few, width);
            values.put(
                    slides,
                    b.perToken(
                            b.norm(norm(), byHead, p + "values.normed", "", width), p + "values", (long) few * width));
        } else if (!keys.containsKey(slides)) {
            throw new MalformedFileException(settings.file() + ": num_kv_shared_layers leaves no layer of its own kind"
                    + " below a layer that shares keys and values");
        }
        return attention.output(
                attention.attendPrepared(
                        q, Objects.requireNonNull(keys.get(slides)), Objects.requireNonNull(values.get(slides))),
                at + "o_proj.weight");
    }

    /** In sparse layers the gate keeps what is above mean + z · standard deviation, z by the share of a normal distribution. */
    @Override
    Value mlp(int layer, String p, Value normed) {
        String at = at(layer) + "mlp.";
        int width = b.tensors.require(at + "gate_proj.weight").dim(0);
        double sparsity = sparsity(layer);
        if (sparsity == 0) {
            return b.gatedMlp(p, normed, at, width, activation());
        }
        StackedMatrix gateUp = b.matrix(config.hiddenSize(), at + "gate_proj.weight", at + "up_proj.weight");
        Value both = b.linear(normed, p + "gate_up", gateUp.requireRows(2 * width));
        List<Value> parts = b.split(both, List.of(p + "gate", p + "up"), width, width);
        Value mean = mean(parts.get(0), p + "gate", width);
        Value centred = b.op("Sub", p + "gate.centred", parts.get(0), mean);
        Value variance = mean(b.op("Mul", p + "gate.squares", centred, centred), p + "gate.variance", width);
        Value cutoff = b.op(
                "Mul",
                p + "gate.cutoff",
                b.op("Sqrt", p + "gate.deviation", variance),
                b.constant(NormalDistribution.quantile(sparsity)));
        Value kept = b.op("Relu", p + "gate.kept", b.op("Sub", p + "gate.above", centred, cutoff));
        Value gated = b.op("Mul", p + "gated", b.activation(activation(), kept, p + "active"), parts.get(1));
        return b.projectGated(
                gated, p + "down", b.matrix(width, at + "down_proj.weight").requireRows(config.hiddenSize()));
    }

    private double sparsity(int layer) {
        List<Double> pattern = settings.isList("activation_sparsity_pattern")
                ? settings.numbers("activation_sparsity_pattern")
                : List.of();
        if (layer < pattern.size()) {
            return pattern.get(layer);
        }
        return pattern.isEmpty() && config.layers() > 10 && layer < 10 ? 0.95 : 0;
    }

    @Override
    String activation() {
        return settings.text("hidden_activation", "gelu_pytorch_tanh");
    }

    @Override
    public Value head(Value normed) {
        return b.head(normed, "lm_head.weight", 1, settings.number("final_logit_softcapping", 30));
    }
}
