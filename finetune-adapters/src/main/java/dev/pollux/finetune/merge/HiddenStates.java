package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.internal.math.Blas;
import dev.pollux.internal.math.FloatMatrix;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The hidden states of a dense decoder (Llama, Mistral, Qwen 2, Qwen 3) for a few short texts.
 *
 * <p>All texts pass through a layer before the next layer is read. Each weight is therefore read once, and memory contains one
 * layer at a time, so models larger than memory work. Calculations are in 64-bit floats. <em>Confined to one thread.</em>
 */
final class HiddenStates {

    /*
     * per layer:  x += Wo·attention(rope(Wq·n), rope(Wk·n), Wv·n), n = norm(x);   x += Wd·(silu(Wg·m) · Wu·m), m = norm(x)
     */
    private final Map<String, TensorSource> tensors;
    private final ModelConfig config;
    private final double epsilon;
    private final double[] frequencies; // (headDim / 2)
    private final double rotaryFactor;
    private final int context;
    private final JobContext job;

    HiddenStates(InputModel model, Checkpoint checkpoint, JobContext job) {
        this.tensors = model.tensors();
        this.config = checkpoint.config();
        this.job = job;
        Settings settings = checkpoint.settings();
        Settings current = settings.at("rope_parameters");
        Settings rope = current.isEmpty() ? settings.at("rope_scaling") : current;
        RotaryScaling scaling = RotaryScaling.read(rope, config.contextLength());
        double theta = rope.number("rope_theta", settings.number("rope_theta", config.rotaryTheta()));
        double[] base = new double[config.headDim() / 2];
        for (int i = 0; i < base.length; i++) {
            base[i] = Math.pow(theta, -2.0 * i / config.headDim());
        }
        this.frequencies = scaling.apply(base, theta);
        this.rotaryFactor = scaling.attentionFactor();
        this.epsilon = settings.number("rms_norm_eps", config.normEpsilon());
        int window = settings.count("sliding_window", 0);
        boolean slides = settings.flag("use_sliding_window", true) && window > 0;
        this.context = slides ? Math.min(window, config.contextLength()) : config.contextLength();
        if (!settings.text("hidden_act", "silu").equals("silu")) {
            throw new MalformedFileException(
                    settings.file() + ": the activation must be silu but is " + settings.text("hidden_act", "silu"));
        }
    }

    /** Receives the states before a layer: (texts), each (tokens, width). Valid only during the call. */
    @FunctionalInterface
    interface Consumer {
        void accept(int layer, List<double[][]> states);
    }

    /**
     * Passes the states before each layer to {@code consumer}.
     *
     * @param embedding the name of the embedding
     * @param texts token ids, at least one each
     */
    void read(String embedding, List<int[]> texts, Consumer consumer) {
        List<double[][]> x = new ArrayList<>();
        TensorSource table = tensor(embedding).ready();
        int width = config.hiddenSize();
        for (int[] ids : texts) {
            if (ids.length > context) {
                throw new IllegalArgumentException("a prompt has " + ids.length + " tokens, more than the " + context
                        + " that the model sees; shorten it");
            }
            double[][] states = new double[ids.length][];
            for (int i = 0; i < ids.length; i++) {
                states[i] = values(table, embedding, (long) ids[i] * width, width);
            }
            x.add(states);
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            job.checkCancelled();
            consumer.accept(layer, x);
            job.progress("hidden states", layer + 1, config.layers(), "layers");
            if (layer + 1 < config.layers()) {
                layer("model.layers." + layer + ".", x);
            }
        }
    }

    private void layer(String at, List<double[][]> texts) {
        double[][] x = texts.stream().flatMap(java.util.Arrays::stream).toArray(double[][]::new);
        double[][] normed = norm(x, at + "input_layernorm.weight", config.hiddenSize());
        double[][] q = project(normed, at + "self_attn.q_proj");
        double[][] k = project(normed, at + "self_attn.k_proj");
        double[][] v = project(normed, at + "self_attn.v_proj");
        headNorms(q, at + "self_attn.q_norm.weight");
        headNorms(k, at + "self_attn.k_norm.weight");
        double[][] mixed = new double[x.length][];
        int first = 0;
        for (double[][] text : texts) {
            for (int i = 0; i < text.length; i++) {
                rotate(q[first + i], i);
                rotate(k[first + i], i);
                mixed[first + i] = attend(q[first + i], k, v, first, i);
            }
            first += text.length;
        }
        add(x, project(mixed, at + "self_attn.o_proj"));
        double[][] again = norm(x, at + "post_attention_layernorm.weight", config.hiddenSize());
        double[][] gate = project(again, at + "mlp.gate_proj");
        double[][] up = project(again, at + "mlp.up_proj");
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < gate[t].length; i++) {
                gate[t][i] = gate[t][i] / (1 + Math.exp(-gate[t][i])) * up[t][i];
            }
        }
        add(x, project(gate, at + "mlp.down_proj"));
    }

    private static void add(double[][] x, double[][] y) {
        for (int t = 0; t < x.length; t++) {
            Blas.add(1, y[t], x[t], 0);
        }
    }

    /** y = x·Wᵀ (+ bias). */
    private double[][] project(double[][] x, String module) {
        job.checkCancelled();
        TensorSource weight = tensor(module + ".weight");
        int rows = Math.toIntExact(weight.shape().get(0));
        int columns = Math.toIntExact(weight.shape().get(1));
        if (columns != x[0].length) {
            throw new MalformedFileException(
                    module + ".weight must have " + x[0].length + " columns but has " + columns);
        }
        float[] values = new float[Math.multiplyExact(rows, columns)];
        weight.ready().read(0, values.length, values, 0);
        double[][] y = new FloatMatrix(rows, columns, values).transposed().multiply(x, job::isCancelled);
        TensorSource bias = tensors.get(module + ".bias");
        if (bias != null) {
            double[] each = values(bias.ready(), module + ".bias", 0, rows);
            for (double[] row : y) {
                Blas.add(1, each, row, 0);
            }
        }
        return y;
    }

    private double[][] norm(double[][] x, String weight, int width) {
        double[] scale = values(tensor(weight).ready(), weight, 0, width);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] = x[t].clone();
            norm(y[t], 0, scale);
        }
        return y;
    }

    private void norm(double[] x, int at, double[] scale) {
        double square = 0;
        for (int i = 0; i < scale.length; i++) {
            square += x[at + i] * x[at + i];
        }
        double factor = 1 / Math.sqrt(square / scale.length + epsilon);
        for (int i = 0; i < scale.length; i++) {
            x[at + i] *= factor * scale[i];
        }
    }

    private void headNorms(double[][] x, String weight) {
        TensorSource stored = tensors.get(weight);
        if (stored == null) {
            return;
        }
        double[] scale = values(stored.ready(), weight, 0, config.headDim());
        for (double[] token : x) {
            for (int head = 0; head < token.length; head += config.headDim()) {
                norm(token, head, scale);
            }
        }
    }

    /** Rotary positions (Su et al., arXiv 2104.09864); element i is paired with i + headDim/2. */
    private void rotate(double[] x, int position) {
        int half = config.headDim() / 2;
        for (int head = 0; head < x.length; head += config.headDim()) {
            for (int i = 0; i < half; i++) {
                double cos = Math.cos(position * frequencies[i]) * rotaryFactor;
                double sin = Math.sin(position * frequencies[i]) * rotaryFactor;
                double a = x[head + i];
                double b = x[head + half + i];
                x[head + i] = a * cos - b * sin;
                x[head + half + i] = b * cos + a * sin;
            }
        }
    }

    /** Causal attention of token {@code i} in the text that begins at {@code first}. */
    private double[] attend(double[] q, double[][] k, double[][] v, int first, int i) {
        int width = config.headDim();
        int shared = config.heads() / config.keyValueHeads();
        double[] mixed = new double[config.heads() * width];
        double[] weights = new double[i + 1];
        for (int head = 0; head < config.heads(); head++) {
            int from = head / shared * width;
            double most = Double.NEGATIVE_INFINITY;
            for (int j = 0; j <= i; j++) {
                double sum = 0;
                for (int d = 0; d < width; d++) {
                    sum += q[head * width + d] * k[first + j][from + d];
                }
                weights[j] = sum / Math.sqrt(width);
                most = Math.max(most, weights[j]);
            }
            double total = 0;
            for (int j = 0; j <= i; j++) {
                weights[j] = Math.exp(weights[j] - most);
                total += weights[j];
            }
            for (int j = 0; j <= i; j++) {
                for (int d = 0; d < width; d++) {
                    mixed[head * width + d] += weights[j] / total * v[first + j][from + d];
                }
            }
        }
        return mixed;
    }

    private TensorSource tensor(String name) {
        TensorSource source = tensors.get(name);
        if (source == null) {
            throw new MalformedFileException("The base has no tensor " + name + "; it is incomplete");
        }
        return source;
    }

    private static double[] values(TensorSource source, String name, long first, int count) {
        if (first + count > source.elements()) {
            throw new MalformedFileException(name + " has " + source.elements() + " elements but " + (first + count)
                    + " are needed; the tokenizer or the configuration belongs to another model");
        }
        float[] floats = new float[count];
        source.read(first, count, floats, 0);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = floats[i];
        }
        return values;
    }
}
