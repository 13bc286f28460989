package dev.pollux.inference.internal.layer;

import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.RotaryScaling;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.inference.graph.ActivationFunction;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The building blocks of architectures, added to one graph. Each method takes values and returns its result. Shapes are
 * checked when an operator is added. Operations that depend on the kind of graph are delegated to the {@link Lowering}.
 * <em>Confined to one thread.</em>
 */
public final class Blocks {

    public final ModelConfig config;
    public final Settings settings;
    public final DerivedTensors tensors;
    public final GraphBuilder graph;
    public final int contextLength;

    private final Lowering lowering;
    private String embedding = "";
    private int embeddingWidth;
    private int residuals;

    /** @param lowering creates the lowering after all other parts of the blocks exist */
    public Blocks(
            ModelConfig config,
            Settings settings,
            DerivedTensors tensors,
            GraphBuilder graph,
            int contextLength,
            Function<Blocks, ? extends Lowering> lowering) {
        this.config = config;
        this.settings = settings;
        this.tensors = tensors;
        this.graph = graph;
        this.contextLength = contextLength;
        this.lowering = lowering.apply(this);
    }

    /** Whether a tensor belongs to a module that predicts further tokens at once, which the graph leaves out. */
    public boolean predictsTokens(String name) {
        int modules = settings.count("num_nextn_predict_layers", settings.count("num_mtp_layers", 0));
        String beyond = "model.layers.";
        return name.startsWith("mtp.")
                || name.startsWith("model.mtp_")
                || IntStream.range(config.layers(), config.layers() + modules)
                        .anyMatch(layer -> name.startsWith(beyond + layer + "."));
    }

    public Lowering lowering() {
        return lowering;
    }

    // Operators

    /** A standard operator. */
    public Value op(String operator, String output, List<Value> inputs, Map<String, ?> attributes) {
        return graph.op(operator, lowering.name(operator, output), inputs, attributes);
    }

    /** A standard operator without attributes. */
    public Value op(String operator, String output, Value... inputs) {
        return op(operator, output, List.of(inputs), Map.of());
    }

    /** A standard operator with several results. */
    public List<Value> ops(String operator, List<String> outputs, List<Value> inputs, Map<String, ?> attributes) {
        return graph.node(operator, "", inputs, outputs, attributes);
    }

    /** A contrib operator of ONNX Runtime. */
    public Value fused(String operator, String output, List<Value> inputs, Map<String, ?> attributes) {
        return graph.fused(operator, lowering.name(operator, output), inputs, attributes);
    }

    /** A contrib operator with several results. */
    public List<Value> fused(String operator, List<Value> inputs, List<String> outputs, Map<String, ?> attributes) {
        return graph.node(operator, Graph.MICROSOFT, inputs, outputs, attributes);
    }

    /** A number, (1). */
    public Value constant(double value) {
        return lowering.constant(
                "number",
                "constant." + (float) value,
                name -> graph.floats(name, () -> new float[] {(float) value}, 1));
    }

    /** Integers, (values), stored once per name. */
    public Value integers(String name, long... values) {
        return lowering.constant("integers", name, key -> graph.integers(key, values));
    }

    /** x · factor; x itself if the factor is 1. */
    public Value scaled(Value x, double factor) {
        return factor == 1 ? x : op("Mul", x.name() + ".scaled", x, constant(factor));
    }

    /** x with each element in [−bound, bound]; x itself if the bound is infinite. */
    public Value bounded(Value x, double bound) {
        if (Double.isInfinite(bound)) {
            return x;
        }
        Value low = op("Max", x.name() + ".at.least", x, constant(-bound));
        return op("Min", x.name() + ".bounded", low, constant(bound));
    }

    /** {@code count} copies of a number, (count, 1), stored once per name. */
    public Value vector(String name, double value, int count) {
        Supplier<float[]> values = () -> {
            float[] filled = new float[count];
            Arrays.fill(filled, (float) value);
            return filled;
        };
        return lowering.constant("vector", name, key -> graph.floats(key, values, count, 1));
    }

    /** x reshaped; 0 keeps a dimension, −1 is inferred. */
    public Value reshaped(Value x, String output, long... shape) {
        return op("Reshape", output, x, integers("shape." + Arrays.toString(shape), shape));
    }

    /** Reshapes all dimensions after (batch, tokens). */
    public Value perToken(Value x, String output, long... rest) {
        return reshaped(x, output, lowering.tokenShape(rest));
    }

    /** Splits the last axis. */
    public List<Value> split(Value x, List<String> outputs, int... sizes) {
        long[] widths = Arrays.stream(sizes).asLongStream().toArray();
        List<String> names =
                outputs.stream().map(output -> lowering.name("part", output)).toList();
        Value parts = integers("sizes." + Arrays.toString(sizes), widths);
        return ops("Split", names, List.of(x, parts), Map.of("axis", -1));
    }

    // Matrices

    /** A matrix, or several stacked ones, with {@code columns} inputs. */
    public StackedMatrix matrix(int columns, String... names) {
        return StackedMatrix.of(tensors, List.of(names), columns);
    }

    /** y = x·Wᵀ (+ bias) for stored matrices stacked. */
    public Value linear(Value x, String output, StackedMatrix matrix) {
        return lowering.linear(x, output, new Linear(matrix, Linear.Role.PLAIN));
    }

    /** The same for one stored matrix of this shape. */
    public Value project(Value x, String output, String weight, int rows, int columns) {
        return linear(x, output, matrix(columns, weight).requireRows(rows));
    }

    /** A linear product whose input is a gated product. */
    public Value projectGated(Value x, String output, StackedMatrix matrix) {
        return lowering.linear(x, output, new Linear(matrix, Linear.Role.GATED_INPUT));
    }

    // Embedding and head

    /** The rows of the ids, (batch, tokens, hidden). */
    public Value embed(String weight) {
        return embed(weight, config.hiddenSize());
    }

    /** The rows of the ids, (batch, tokens, width); the head has the same width. */
    public Value embed(String weight, int width) {
        embedding = weight;
        embeddingWidth = width;
        return lowering.embed("embedding", matrix(width, weight).requireRows(config.vocabularySize()));
    }

    /**
     * The logits of the normed stream: l = {@code factor} · W x, then cap · tanh(l / cap) if {@code cap > 0}.
     *
     * <p>A configuration that ties the head to the embedding does not hold for a file that stores another head: the stored one is
     * used, as transformers 5 and llama.cpp do. Training or merging may have parted the two.
     *
     * @param weight the head's weight; if it is absent, or tied and the same, the embedding is used
     */
    public Value head(Value normed, String weight, double factor, double cap) {
        boolean tied = !tensors.has(weight)
                || settings.flag("tie_word_embeddings", config.tiedEmbedding()) && tensors.same(weight, embedding);
        if (tied) {
            tensors.ignore(weight);
        }
        StackedMatrix matrix = tied
                ? matrix(embeddingWidth, embedding)
                : matrix(embeddingWidth, weight).requireRows(config.vocabularySize());
        return lowering.logits(normed, new Head(matrix, weight, tied, factor, cap));
    }

    // Norms

    /** x normalized over its last axis of {@code width}; without a weight if its name is empty. */
    public Value norm(Norm norm, Value x, String output, String weight, int width) {
        float epsilon = (float) norm.epsilon();
        List<Value> inputs = new ArrayList<>(List.of(x, lowering.normWeight(norm, output, weight, width)));
        if (norm.kind() == Norm.Kind.RMS) {
            return op(
                    "SimplifiedLayerNormalization",
                    output,
                    inputs,
                    Map.of("axis", -1, "epsilon", epsilon, "stash_type", 1));
        }
        String bias = weight.replace(".weight", ".bias");
        if (tensors.has(bias)) {
            inputs.add(graph.floats(output + ".bias", tensors.vectorLater(bias, width), width));
        }
        return op("LayerNormalization", output, inputs, Map.of("axis", -1, "epsilon", epsilon));
    }

    /** A norm's effective weight, read when the graph is written; ones if its name is empty. */
    public Supplier<float[]> normWeight(Norm norm, String weight, int width) {
        if (weight.isEmpty()) {
            return () -> {
                float[] ones = new float[width];
                Arrays.fill(ones, 1);
                return ones;
            };
        }
        Supplier<float[]> stored = tensors.vectorLater(weight, width);
        return () -> {
            float[] values = stored.get();
            for (int i = 0; i < width; i++) {
                values[i] += (float) norm.offset();
            }
            return values;
        };
    }

    String residualName() {
        return "residual." + residuals++;
    }

    String nextResidualName() {
        return "residual." + residuals;
    }

    // Positions

    /** Rotary positions for the first {@code width} elements of a head. */
    public Rotary rotary(String name, int width, double theta, RotaryScaling scaling, boolean interleaved) {
        return declared(Rotary.powers(name, width, theta, scaling, interleaved));
    }

    /** Rotary positions with these frequencies; cos and sin are multiplied by {@code factor}. */
    public Rotary rotary(String name, double[] frequencies, double factor, boolean interleaved) {
        return declared(Rotary.of(name, frequencies, factor, interleaved));
    }

    /** Rotary positions with two sets of frequencies, the second for sequences of more than {@code length} tokens. */
    Rotary switchedRotary(double[] upTo, double[] beyond, int length, double factor) {
        return declared(Rotary.switched("rotary", upTo, beyond, length, factor));
    }

    private Rotary declared(Rotary rotary) {
        lowering.declare(rotary);
        return rotary;
    }

    // Activations and MLPs

    /** An activation by its name in Hugging Face's configurations. */
    public Value activation(String name, Value x, String output) {
        return ActivationFunction.of(name, settings.file().toString()).write(graph, x, lowering.name(name, output));
    }

    /** down(act(up(x))); the width is the matrices' own. */
    public Value plainMlp(String p, Value x, String up, String down, String activation) {
        int width = tensors.require(up).dim(0);
        Value inner = project(x, p + "up", up, width, config.hiddenSize());
        return project(activation(activation, inner, p + "active"), p + "down", down, config.hiddenSize(), width);
    }

    /** down(act(gate(x)) · up(x)), with gate and up as one product. */
    public Value gatedMlp(String p, Value x, String at, int width, String activation) {
        StackedMatrix both = matrix(config.hiddenSize(), at + "gate_proj.weight", at + "up_proj.weight");
        return gated(p, x, both, at + "down_proj.weight", width, activation);
    }

    /** A gated MLP with a matrix that contains gate and up, in this order. */
    public Value gated(String p, Value x, StackedMatrix gateUp, String down, int width, String activation) {
        Value both = linear(x, p + "gate_up", gateUp.requireRows(2 * width));
        List<Value> parts = split(both, List.of(p + "gate", p + "up"), width, width);
        Value gated = op("Mul", p + "gated", activation(activation, parts.get(0), p + "active"), parts.get(1));
        return projectGated(gated, p + "down", matrix(width, down).requireRows(config.hiddenSize()));
    }
}
