package dev.pollux.inference.decoder;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.decoder.DecoderManifest.Kind;
import dev.pollux.inference.decoder.DecoderManifest.State;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.GraphWriter.Type;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.TensorFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The Llama family (Touvron et al., arXiv:2302.13971; grouped queries, arXiv:2305.13245) as fused operators.
 *
 * <pre>
 * x = embed(ids)
 * per layer:  x += o(attention(qkv(norm(x))));  x += down(silu(gate(n)) · up(n)), n = norm(x)
 * logits = head(norm(x)[logits_index])
 * </pre>
 *
 * q, k and v are one product, gate and up another; a norm and the addition before it are one operator.
 */
final class LlamaGraph {

    private final ModelConfig config;
    private final TensorFile tensors;
    private final GraphWriter graph;
    private final WeightWriter weights;
    private final int contextLength;
    /** Whether the attention operator rotates q and k itself, as it does for heads of a multiple of 16. */
    private final boolean rotatesInside;

    private final List<State> states = new ArrayList<>();

    LlamaGraph(ModelConfig config, TensorFile tensors, GraphWriter graph, WeightWriter weights, int contextLength) {
        this.config = config;
        this.tensors = tensors;
        this.graph = graph;
        this.weights = weights;
        this.contextLength = contextLength;
        if (config.headDim() % 8 != 0) {
            throw new UnsupportedModelException("The head width must be a multiple of 8 but is " + config.headDim()
                    + ": the fused attention operator takes no other; use another model");
        }
        this.rotatesInside = config.headDim() % 16 == 0;
    }

    List<State> states() {
        return states;
    }

    void write(JobContext context) {
        interfaces();
        rotaryTables();
        if (!rotatesInside) {
            positions();
        }
        Matrix embedding =
                matrix(config.hiddenSize(), "model.embed_tokens.weight").requireRows(config.vocabularySize());
        String x = weights.embed("input_ids", "embedding", embedding);
        String normed = firstNorm(x, "layers.0.norm1");
        for (int layer = 0; layer < config.layers(); layer++) {
            context.checkCancelled();
            String p = "layers." + layer + ".";
            String attended = attention(layer, p, normed);
            normed = skipNorm(x, attended, p + "norm2", hub(layer) + "post_attention_layernorm.weight", p + "x1");
            String written = mlp(layer, p, normed);
            String next = layer + 1 < config.layers() ? hub(layer + 1) + "input_layernorm.weight" : "model.norm.weight";
            normed = skipNorm(p + "x1", written, p + "norm3", next, p + "x2");
            x = p + "x2";
            context.progress("layers", layer + 1, config.layers(), "layers");
        }
        graph.op("Gather", "chosen", List.of(normed, "logits_index"), Map.of("axis", 1));
        if (config.tiedEmbedding()) {
            weights.tiedHead("chosen", "logits", "embedding", embedding);
        } else {
            weights.head(
                    "chosen",
                    "logits",
                    matrix(config.hiddenSize(), "lm_head.weight").requireRows(config.vocabularySize()));
        }
    }

    private void interfaces() {
        graph.input("input_ids", Type.INT64, 1, "S");
        graph.input("seqlens_k", Type.INT32, 1);
        graph.input("total_sequence_length", Type.INT32);
        graph.input("logits_index", Type.INT64, "NL");
        graph.output("logits", Type.FLOAT, 1, "NL", config.vocabularySize());
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String part : List.of("key", "value")) {
                State state = new State(
                        "past_key_values." + layer + "." + part,
                        "present." + layer + "." + part,
                        Kind.KEY_VALUE,
                        List.of(1, config.keyValueHeads(), -1, config.headDim()));
                graph.input(state.input(), Type.FLOAT, 1, config.keyValueHeads(), "P", config.headDim());
                graph.output(state.output(), Type.FLOAT, 1, config.keyValueHeads(), "T", config.headDim());
                states.add(state);
            }
        }
    }

    private void rotaryTables() {
        int half = config.headDim() / 2;
        double[] frequencies = new double[half];
        for (int i = 0; i < half; i++) {
            frequencies[i] = Math.pow(config.rotaryTheta(), -2.0 * i / config.headDim());
        }
        frequencies = config.rotaryScaling().apply(frequencies, config.rotaryTheta());
        double factor = config.rotaryScaling().attentionFactor();
        float[] cos = new float[Math.multiplyExact(contextLength, half)]; // (contextLength, headDim / 2)
        float[] sin = new float[cos.length];
        for (int position = 0; position < contextLength; position++) {
            for (int i = 0; i < half; i++) {
                // The reference multiplies in single precision.
                double angle = (float) position * (float) frequencies[i];
                cos[position * half + i] = (float) (Math.cos(angle) * factor);
                sin[position * half + i] = (float) (Math.sin(angle) * factor);
            }
        }
        graph.floats("cos_cache", cos, contextLength, half);
        graph.floats("sin_cache", sin, contextLength, half);
    }

    private String attention(int layer, String p, String normed) {
        int width = config.heads() * config.headDim();
        int narrow = config.keyValueHeads() * config.headDim();
        String at = hub(layer) + "self_attn.";
        Matrix packed = matrix(config.hiddenSize(), at + "q_proj.weight", at + "k_proj.weight", at + "v_proj.weight")
                .requireRows(width + 2 * narrow);
        String qkv = weights.project(normed, p + "qkv", packed);
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("num_heads", config.heads());
        attributes.put("kv_num_heads", config.keyValueHeads());
        attributes.put("scale", (float) (1 / Math.sqrt(config.headDim())));
        State key = states.get(2 * layer);
        State value = states.get(2 * layer + 1);
        List<String> inputs = new ArrayList<>(rotatesInside ? List.of(qkv, "", "") : rotated(p, qkv, width, narrow));
        inputs.addAll(List.of(key.input(), value.input(), "seqlens_k", "total_sequence_length"));
        if (rotatesInside) {
            attributes.put("do_rotary", 1);
            inputs.addAll(List.of("cos_cache", "sin_cache"));
        }
        graph.node(
                "GroupQueryAttention",
                GraphWriter.MICROSOFT,
                inputs,
                List.of(p + "attention", key.output(), value.output()),
                attributes);
        return weights.project(
                p + "attention", p + "o", matrix(width, at + "o_proj.weight").requireRows(config.hiddenSize()));
    }

    /** q, k and v, with q and k rotated by operators of their own. */
    private List<String> rotated(String p, String qkv, int width, int narrow) {
        String sizes = graph.integers(p + "qkv.sizes", width, narrow, narrow);
        graph.node("Split", "", List.of(qkv, sizes), List.of(p + "q", p + "k", p + "v"), Map.of("axis", -1));
        rotate(p + "q", config.heads());
        rotate(p + "k", config.keyValueHeads());
        return List.of(p + "q.rotated", p + "k.rotated", p + "v");
    }

    private void rotate(String name, int heads) {
        graph.node(
                "RotaryEmbedding",
                GraphWriter.MICROSOFT,
                List.of(name, "positions", "cos_cache", "sin_cache"),
                List.of(name + ".rotated"),
                Map.of("num_heads", heads, "rotary_embedding_dim", config.headDim()));
    }

    /** positions (1, S) = total − S … total − 1. */
    private void positions() {
        String one = graph.integers("one", 1);
        String axis = graph.integers("axis", 0);
        graph.op("Squeeze", "step", List.of(one), Map.of());
        graph.op("Cast", "total", List.of("total_sequence_length"), Map.of("to", Type.INT64.code()));
        graph.op("Shape", "S.shape", List.of("input_ids"), Map.of("start", 1, "end", 2));
        graph.op("Squeeze", "S", List.of("S.shape"), Map.of());
        graph.op("Sub", "first", List.of("total", "S"), Map.of());
        graph.op("Range", "positions.flat", List.of("first", "total", "step"), Map.of());
        graph.op("Unsqueeze", "positions", List.of("positions.flat", axis), Map.of());
    }

    private String mlp(int layer, String p, String normed) {
        String at = hub(layer) + "mlp.";
        int width = config.intermediateSize();
        Matrix packed = matrix(config.hiddenSize(), at + "gate_proj.weight", at + "up_proj.weight")
                .requireRows(2 * width);
        String both = weights.project(normed, p + "gate_up", packed);
        graph.node("Split", "", List.of(both), List.of(p + "gate", p + "up"), Map.of("axis", -1, "num_outputs", 2));
        graph.op("Sigmoid", p + "sigmoid", List.of(p + "gate"), Map.of());
        graph.op("Mul", p + "silu", List.of(p + "gate", p + "sigmoid"), Map.of());
        graph.op("Mul", p + "gated", List.of(p + "silu", p + "up"), Map.of());
        return weights.projectGated(
                p + "gated", p + "down", matrix(width, at + "down_proj.weight").requireRows(config.hiddenSize()));
    }

    private String firstNorm(String x, String output) {
        graph.node(
                "SimplifiedLayerNormalization",
                "",
                List.of(x, norm(output, hub(0) + "input_layernorm.weight")),
                List.of(output),
                Map.of("axis", -1, "epsilon", (float) config.normEpsilon(), "stash_type", 1));
        return output;
    }

    /** sum = x + y; output = norm(sum). */
    private String skipNorm(String x, String y, String output, String weight, String sum) {
        graph.node(
                "SkipSimplifiedLayerNormalization",
                GraphWriter.MICROSOFT,
                List.of(x, y, norm(output, weight)),
                List.of(output, "", "", sum),
                Map.of("epsilon", (float) config.normEpsilon()));
        return output;
    }

    private String norm(String output, String stored) {
        if (!tensors.tensors().containsKey(stored)) {
            throw new MalformedFileException("The checkpoint has no tensor " + stored + "; it is incomplete");
        }
        float[] weight = tensors.floats(stored);
        if (weight.length != config.hiddenSize()) {
            throw new MalformedFileException(
                    stored + " must have " + config.hiddenSize() + " elements but has " + weight.length);
        }
        return graph.floats(output + ".weight", weight, weight.length);
    }

    private Matrix matrix(int columns, String... names) {
        return Matrix.of(tensors, List.of(names), columns);
    }

    private static String hub(int layer) {
        return "model.layers." + layer + ".";
    }
}
