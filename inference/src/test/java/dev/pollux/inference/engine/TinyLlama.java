package dev.pollux.inference.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * A Llama of random weights, as a Hugging Face folder and as a forward pass that is nothing but the formulas, in double
 * precision and without a cache.
 */
final class TinyLlama {

    static final int HIDDEN = 32;
    static final int VOCABULARY = 50;
    private static final int LAYERS = 2;
    private static final int WIDTH = 40;

    /** What varies: heads, head width, whether matrices have biases, whether the head is the embedding, rotary settings. */
    record Shape(int heads, int keyValueHeads, int headDim, boolean bias, boolean tied, String rope) {}

    private final Shape shape;
    private final double[] frequencies; // (headDim / 2)
    private final double attentionFactor;
    private final Map<String, float[]> weights = new LinkedHashMap<>();
    private final Map<String, int[]> shapes = new LinkedHashMap<>();
    private final Random random;

    TinyLlama(Shape shape, long seed, double[] frequencies, double attentionFactor) {
        this.shape = shape;
        this.frequencies = frequencies;
        this.attentionFactor = attentionFactor;
        this.random = new Random(seed);
        int q = shape.heads * shape.headDim;
        int kv = shape.keyValueHeads * shape.headDim;
        add("model.embed_tokens.weight", 1, VOCABULARY, HIDDEN);
        for (int layer = 0; layer < LAYERS; layer++) {
            String p = "model.layers." + layer + ".";
            norm(p + "input_layernorm.weight");
            matrix(p + "self_attn.q_proj", q, HIDDEN);
            matrix(p + "self_attn.k_proj", kv, HIDDEN);
            matrix(p + "self_attn.v_proj", kv, HIDDEN);
            matrix(p + "self_attn.o_proj", HIDDEN, q);
            norm(p + "post_attention_layernorm.weight");
            matrix(p + "mlp.gate_proj", WIDTH, HIDDEN);
            matrix(p + "mlp.up_proj", WIDTH, HIDDEN);
            matrix(p + "mlp.down_proj", HIDDEN, WIDTH);
        }
        norm("model.norm.weight");
        if (!shape.tied) {
            add("lm_head.weight", 0.2, VOCABULARY, HIDDEN);
        }
    }

    private void matrix(String name, int rows, int columns) {
        add(name + ".weight", 0.2, rows, columns);
        if (shape.bias) {
            add(name + ".bias", 0.2, rows);
        }
    }

    private void norm(String name) {
        add(name, 0.2, HIDDEN);
        float[] weight = weights.get(name);
        for (int i = 0; i < weight.length; i++) {
            weight[i] += 1;
        }
    }

    private void add(String name, double deviation, int... dims) {
        int count = 1;
        for (int dim : dims) {
            count *= dim;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        weights.put(name, values);
        shapes.put(name, dims);
    }

    /** Writes config.json and model.safetensors. */
    void write(Path folder) {
        StringBuilder header = new StringBuilder("{");
        int offset = 0;
        for (String name : weights.keySet()) {
            int bytes = weights.get(name).length * Float.BYTES;
            header.append(header.length() == 1 ? "" : ",")
                    .append('"')
                    .append(name)
                    .append("\":{\"dtype\":\"F32\",\"shape\":")
                    .append(java.util.Arrays.toString(shapes.get(name)))
                    .append(",\"data_offsets\":[")
                    .append(offset)
                    .append(',')
                    .append(offset += bytes)
                    .append("]}");
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + offset).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        weights.values().forEach(values -> {
            for (float value : values) {
                file.putFloat(value);
            }
        });
        try {
            Files.createDirectories(folder);
            Files.write(folder.resolve("model.safetensors"), file.array());
            Files.writeString(folder.resolve("config.json"), config());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String config() {
        return """
                {"architectures": ["LlamaForCausalLM"], "hidden_size": %d, "num_hidden_layers": %d,
                 "num_attention_heads": %d, "num_key_value_heads": %d, "head_dim": %d, "intermediate_size": %d,
                 "vocab_size": %d, "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "hidden_act": "silu",
                 "tie_word_embeddings": %b, "eos_token_id": 2, "rope_parameters": %s}
                """.formatted(
                        HIDDEN,
                        LAYERS,
                        shape.heads,
                        shape.keyValueHeads,
                        shape.headDim,
                        WIDTH,
                        VOCABULARY,
                        shape.tied,
                        shape.rope);
    }

    /** The logits after the last of {@code ids}: (VOCABULARY). */
    double[] logits(int[] ids) {
        double[][] x = new double[ids.length][]; // (tokens, HIDDEN)
        for (int t = 0; t < ids.length; t++) {
            x[t] = row("model.embed_tokens.weight", ids[t], HIDDEN);
        }
        for (int layer = 0; layer < LAYERS; layer++) {
            String p = "model.layers." + layer + ".";
            addTo(x, attention(p + "self_attn.", normed(x, p + "input_layernorm.weight")));
            addTo(x, mlp(p + "mlp.", normed(x, p + "post_attention_layernorm.weight")));
        }
        double[] last = normed(x, "model.norm.weight")[ids.length - 1];
        return product(last, shape.tied ? "model.embed_tokens" : "lm_head", VOCABULARY);
    }

    private double[][] attention(String p, double[][] x) {
        int tokens = x.length;
        double[][] q = new double[tokens][];
        double[][] k = new double[tokens][];
        double[][] v = new double[tokens][];
        for (int t = 0; t < tokens; t++) {
            q[t] = rotated(product(x[t], p + "q_proj", shape.heads * shape.headDim), t);
            k[t] = rotated(product(x[t], p + "k_proj", shape.keyValueHeads * shape.headDim), t);
            v[t] = product(x[t], p + "v_proj", shape.keyValueHeads * shape.headDim);
        }
        double[][] out = new double[tokens][];
        for (int t = 0; t < tokens; t++) {
            double[] heads = new double[shape.heads * shape.headDim];
            for (int h = 0; h < shape.heads; h++) {
                attend(heads, q[t], k, v, t, h);
            }
            out[t] = product(heads, p + "o_proj", HIDDEN);
        }
        return out;
    }

    private void attend(double[] out, double[] q, double[][] k, double[][] v, int t, int head) {
        int from = head * shape.headDim;
        int shared = head / (shape.heads / shape.keyValueHeads) * shape.headDim;
        double[] weight = new double[t + 1];
        double sum = 0;
        for (int s = 0; s <= t; s++) {
            double score = 0;
            for (int i = 0; i < shape.headDim; i++) {
                score += q[from + i] * k[s][shared + i];
            }
            weight[s] = Math.exp(score / Math.sqrt(shape.headDim));
            sum += weight[s];
        }
        for (int s = 0; s <= t; s++) {
            for (int i = 0; i < shape.headDim; i++) {
                out[from + i] += weight[s] / sum * v[s][shared + i];
            }
        }
    }

    private double[] rotated(double[] heads, int position) {
        int half = shape.headDim / 2;
        double[] out = heads.clone();
        for (int from = 0; from < heads.length; from += shape.headDim) {
            for (int i = 0; i < half; i++) {
                double cos = Math.cos(position * frequencies[i]) * attentionFactor;
                double sin = Math.sin(position * frequencies[i]) * attentionFactor;
                out[from + i] = heads[from + i] * cos - heads[from + half + i] * sin;
                out[from + half + i] = heads[from + half + i] * cos + heads[from + i] * sin;
            }
        }
        return out;
    }

    private double[][] mlp(String p, double[][] x) {
        double[][] out = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] gate = product(x[t], p + "gate_proj", WIDTH);
            double[] up = product(x[t], p + "up_proj", WIDTH);
            for (int i = 0; i < WIDTH; i++) {
                up[i] *= gate[i] / (1 + Math.exp(-gate[i]));
            }
            out[t] = product(up, p + "down_proj", HIDDEN);
        }
        return out;
    }

    private double[][] normed(double[][] x, String name) {
        double[][] out = new double[x.length][HIDDEN];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value;
            }
            for (int i = 0; i < HIDDEN; i++) {
                out[t][i] = x[t][i] / Math.sqrt(squares / HIDDEN + 1e-5) * weights.get(name)[i];
            }
        }
        return out;
    }

    private double[] product(double[] x, String name, int rows) {
        float[] bias = weights.get(name + ".bias");
        double[] y = new double[rows];
        for (int r = 0; r < rows; r++) {
            double[] w = row(name + ".weight", r, x.length);
            y[r] = bias == null ? 0 : bias[r];
            for (int c = 0; c < x.length; c++) {
                y[r] += w[c] * x[c];
            }
        }
        return y;
    }

    private double[] row(String name, int row, int columns) {
        double[] values = new double[columns];
        for (int c = 0; c < columns; c++) {
            values[c] = weights.get(name)[row * columns + c];
        }
        return values;
    }

    private static void addTo(double[][] x, double[][] y) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < HIDDEN; i++) {
                x[t][i] += y[t][i];
            }
        }
    }
}
