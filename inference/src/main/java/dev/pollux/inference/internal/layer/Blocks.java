package dev.pollux.inference.internal.layer;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.ActivationFunction;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.GraphWriter.Type;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What decoder families are built of, written into one graph. Every method takes names of values and returns the name of
 * its result. <em>Confined to one thread.</em>
 */
public final class Blocks {

    private static final long MOST_ANGLES = 1 << 28;

    public final ModelConfig config;
    public final Settings settings;
    public final DerivedTensors tensors;
    public final GraphWriter graph;
    public final WeightWriter weights;
    public final int contextLength;

    private final List<StateTensor> states = new ArrayList<>();
    private final Map<String, String> constants = new HashMap<>();
    private String embedding = "";
    private boolean positions;
    private int rotarySwitch;

    public Blocks(
            ModelConfig config,
            Settings settings,
            DerivedTensors tensors,
            GraphWriter graph,
            WeightWriter weights,
            int contextLength) {
        this.config = config;
        this.settings = settings;
        this.tensors = tensors;
        this.graph = graph;
        this.weights = weights;
        this.contextLength = contextLength;
        graph.input("input_ids", Type.INT64, 1, "S");
        graph.input("seqlens_k", Type.INT32, 1);
        graph.input("total_sequence_length", Type.INT32);
        graph.input("logits_index", Type.INT64, "NL");
        graph.output("logits", Type.FLOAT, 1, "NL", config.vocabularySize());
    }

    public List<StateTensor> states() {
        return states;
    }

    // Values

    /** A matrix, or several stacked, of {@code columns} inputs. */
    public StackedMatrix matrix(int columns, String... names) {
        return StackedMatrix.of(tensors, List.of(names), columns);
    }

    /** y = x·Wᵀ (+ bias). */
    public String project(String x, String output, String weight, int rows, int columns) {
        return weights.project(x, output, matrix(columns, weight).requireRows(rows));
    }

    public String op(String operator, String output, String... inputs) {
        return graph.op(operator, output, List.of(inputs), Map.of());
    }

    /** An operator of ONNX Runtime's own. */
    public String fused(String operator, String output, List<String> inputs, Map<String, ?> attributes) {
        graph.node(operator, GraphWriter.MICROSOFT, inputs, List.of(output), attributes);
        return output;
    }

    /** A number, once for the whole graph. */
    public String constant(double value) {
        return constants.computeIfAbsent(
                "constant." + (float) value, name -> graph.floats(name, new float[] {(float) value}, 1));
    }

    /** x · factor; x itself where that is 1. */
    public String scaled(String x, double factor) {
        return factor == 1 ? x : op("Mul", x + ".scaled", x, constant(factor));
    }

    /** The same number {@code count} times, (count, 1). */
    public String vector(String name, double value, int count) {
        return constants.computeIfAbsent(name, key -> {
            float[] values = new float[count];
            java.util.Arrays.fill(values, (float) value);
            return graph.floats(key, values, count, 1);
        });
    }

    public String reshaped(String x, String output, long... shape) {
        String name = "shape." + java.util.Arrays.toString(shape);
        return op("Reshape", output, x, constants.computeIfAbsent(name, key -> graph.integers(key, shape)));
    }

    /** Parts of the last axis. */
    public List<String> split(String x, List<String> outputs, int... sizes) {
        long[] widths = java.util.Arrays.stream(sizes).asLongStream().toArray();
        String name = "sizes." + java.util.Arrays.toString(sizes);
        String parts = constants.computeIfAbsent(name, key -> graph.integers(key, widths));
        graph.node("Split", "", List.of(x, parts), outputs, Map.of("axis", -1));
        return outputs;
    }

    // Embedding and head

    /** The rows of the ids, (1, S, hidden). */
    public String embed(String weight) {
        embedding = weight;
        StackedMatrix matrix = matrix(config.hiddenSize(), weight).requireRows(config.vocabularySize());
        return weights.embed("input_ids", "embedding", matrix);
    }

    /**
     * The logits that are due, from the normed stream: times {@code factor}, then, where {@code cap} is above 0,
     * cap · tanh(· / cap).
     *
     * @param head the head's weight; the embedding serves where it is absent, or tied
     */
    public void head(String normed, String head, double factor, double cap) {
        String chosen = graph.op("Gather", "chosen", List.of(normed, "logits_index"), Map.of("axis", 1));
        boolean plain = factor == 1 && cap == 0;
        String raw = plain ? "logits" : "logits.raw";
        boolean tied = !tensors.has(head) || settings.flag("tie_word_embeddings", config.tiedEmbedding());
        if (tied) {
            tensors.ignore(head);
            weights.tiedHead(chosen, raw, "embedding", matrix(config.hiddenSize(), embedding), head);
        } else {
            weights.head(chosen, raw, matrix(config.hiddenSize(), head).requireRows(config.vocabularySize()));
        }
        if (plain) {
            return;
        }
        if (cap == 0) {
            op("Mul", "logits", raw, constant(factor));
        } else {
            op("Tanh", "logits.tanh", op("Mul", "logits.scaled", raw, constant(factor / cap)));
            op("Mul", "logits", "logits.tanh", constant(cap));
        }
    }

    // Norms

    public String norm(Norm norm, String x, String output, String weight, int width) {
        float epsilon = (float) norm.epsilon();
        List<String> inputs = new ArrayList<>(List.of(x, normWeight(norm, output, weight, width)));
        if (norm.kind() == Norm.Kind.RMS) {
            return graph.op(
                    "SimplifiedLayerNormalization",
                    output,
                    inputs,
                    Map.of("axis", -1, "epsilon", epsilon, "stash_type", 1));
        }
        String bias = weight.replace(".weight", ".bias");
        if (tensors.has(bias)) {
            inputs.add(graph.floats(output + ".bias", tensors.vector(bias, width), width));
        }
        return graph.op("LayerNormalization", output, inputs, Map.of("axis", -1, "epsilon", epsilon));
    }

    /** The norm's weight as it is applied; ones where the family has none, which an empty name says. */
    String normWeight(Norm norm, String output, String weight, int width) {
        float[] values = new float[width];
        java.util.Arrays.fill(values, 1);
        if (!weight.isEmpty()) {
            values = tensors.vector(weight, width);
            for (int i = 0; i < width; i++) {
                values[i] += (float) norm.offset();
            }
        }
        return graph.floats(output + ".weight", values, width);
    }

    // Positions

    /** Rotary tables for the first {@code width} elements of a head. */
    public Rotary rotary(String name, int width, double theta, RotaryScaling scaling, boolean interleaved) {
        double[] frequencies = new double[width / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / width);
        }
        return rotary(name, scaling.apply(frequencies, theta), scaling.attentionFactor(), interleaved);
    }

    /** Rotary tables of these frequencies, cos and sin times {@code factor}. */
    public Rotary rotary(String name, double[] frequencies, double factor, boolean interleaved) {
        tables(name, factor, frequencies);
        return new Rotary(name + ".cos", name + ".sin", 2 * frequencies.length, interleaved, "");
    }

    /** Two sets of rotary tables, the second for sequences of more than {@code length} tokens, as {@code rotarySwitch} of the manifest says. */
    Rotary switchedRotary(double[] upTo, double[] beyond, int length, double factor) {
        tables("rotary", factor, upTo, beyond);
        graph.input("rotary_offset", Type.INT64, 1);
        rotarySwitch = length;
        String rows = op("Add", "rotary.rows", positions(), "rotary_offset");
        return new Rotary("rotary.cos", "rotary.sin", 2 * upTo.length, false, rows);
    }

    /** As the manifest has it. */
    public int rotarySwitch() {
        return rotarySwitch;
    }

    /** Cosines and sines, (sets · contextLength, frequencies). */
    private void tables(String name, double factor, double[]... sets) {
        int half = sets[0].length;
        int rows = sets.length * contextLength;
        if ((long) rows * half > MOST_ANGLES) {
            throw new UnsupportedModelException(settings.file() + ": rotary tables of " + rows + " positions and "
                    + half + " frequencies are larger than " + MOST_ANGLES
                    + " numbers; lower maxContext of the export");
        }
        if (graph.isMeasuring()) {
            graph.reserve((long) rows * half * Float.BYTES);
            graph.reserve((long) rows * half * Float.BYTES);
            return;
        }
        float[] cos = new float[rows * half];
        float[] sin = new float[cos.length];
        for (int row = 0; row < rows; row++) {
            float position = row % contextLength;
            double[] frequencies = sets[row / contextLength];
            for (int i = 0; i < half; i++) {
                double angle = position * (float) frequencies[i]; // the reference multiplies in single precision
                cos[row * half + i] = (float) (Math.cos(angle) * factor);
                sin[row * half + i] = (float) (Math.sin(angle) * factor);
            }
        }
        graph.floats(name + ".cos", cos, rows, half);
        graph.floats(name + ".sin", sin, rows, half);
    }

    /** The position of each token, (1, S): total − S … total − 1. */
    public String positions() {
        if (!positions) {
            positions = true;
            String axis = graph.integers("axis.0", 0);
            op("Squeeze", "step", graph.integers("one", 1));
            graph.op("Cast", "total", List.of("total_sequence_length"), Map.of("to", Type.INT64.code()));
            graph.op("Shape", "S.shape", List.of("input_ids"), Map.of("start", 1, "end", 2));
            op("Squeeze", "S", "S.shape");
            op("Sub", "first", "total", "S");
            op("Range", "positions.flat", "first", "total", "step");
            op("Unsqueeze", "positions", "positions.flat", axis);
        }
        return "positions";
    }

    /** A table's row of each position, (1, S, width). */
    public String byPosition(String name, float[] table, int width) {
        graph.floats(name + ".table", table, table.length / width, width);
        return graph.op("Gather", name, List.of(name + ".table", positions()), Map.of("axis", 0));
    }

    // States

    /** Declares the keys and values of a layer: their inputs, and their outputs. */
    List<StateTensor> keyValues(int layer, int heads, int width) {
        List<StateTensor> both = new ArrayList<>();
        for (String part : List.of("key", "value")) {
            StateTensor state = new StateTensor(
                    "past_key_values." + layer + "." + part,
                    "present." + layer + "." + part,
                    Kind.KEY_VALUE,
                    List.of(1, heads, -1, width));
            graph.input(state.input(), Type.FLOAT, 1, heads, "P", width);
            graph.output(state.output(), Type.FLOAT, 1, heads, "T", width);
            states.add(state);
            both.add(state);
        }
        return both;
    }

    /** Declares a state of fixed size that every step replaces. */
    StateTensor recurrent(int layer, String part, Integer... shape) {
        StateTensor state = new StateTensor(
                "past_states." + layer + "." + part,
                "present_states." + layer + "." + part,
                Kind.RECURRENT,
                List.of(shape));
        graph.input(state.input(), Type.FLOAT, (Object[]) shape);
        graph.output(state.output(), Type.FLOAT, (Object[]) shape);
        states.add(state);
        return state;
    }

    // Activations and MLPs

    /** An activation by its name in Hugging Face's configurations. */
    public String activation(String name, String x, String output) {
        return ActivationFunction.of(name, settings.file().toString()).write(graph, x, output);
    }

    /** down(act(up(x))); the width is the matrices' own. */
    public String plainMlp(String p, String x, String up, String down, String activation) {
        int width = tensors.require(up).dim(0);
        String inner = project(x, p + "up", up, width, config.hiddenSize());
        return project(activation(activation, inner, p + "active"), p + "down", down, config.hiddenSize(), width);
    }

    /** down(act(gate(x)) · up(x)), with gate and up as one product. */
    public String gatedMlp(String p, String x, String at, int width, String activation) {
        StackedMatrix both = matrix(config.hiddenSize(), at + "gate_proj.weight", at + "up_proj.weight");
        return gated(p, x, both, at + "down_proj.weight", width, activation);
    }

    /** The same over a matrix that holds gate and up, in this order. */
    public String gated(String p, String x, StackedMatrix gateUp, String down, int width, String activation) {
        String both = weights.project(x, p + "gate_up", gateUp.requireRows(2 * width));
        split(both, List.of(p + "gate", p + "up"), width, width);
        String gated = op("Mul", p + "gated", activation(activation, p + "gate", p + "active"), p + "up");
        return weights.projectGated(gated, p + "down", matrix(width, down).requireRows(config.hiddenSize()));
    }
}
