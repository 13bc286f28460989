package dev.pollux.inference.encoder.export;

import dev.pollux.inference.graph.ActivationFunction;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.masked.Operators;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What families are made of: embeddings, linear layers, norms, activations and MLPs.
 *
 * <p>A method adds operators to the graph and returns their result. Values are (batch, tokens, width) unless
 * said otherwise. <em>Not thread-safe: one thread at a time.</em>
 */
final class EncoderOperators extends Operators {

    private final StoredTensors tensors;
    private final EncoderWeights form;
    private final WeightStore weights;

    EncoderOperators(GraphBuilder graph, StoredTensors tensors, EncoderWeights form) {
        super(graph);
        this.tensors = tensors;
        this.form = form;
        this.weights = new WeightStore(graph, tensors);
    }

    private EncoderOperators(EncoderOperators encoder) {
        super(encoder);
        this.tensors = encoder.tensors.outside();
        this.form = EncoderWeights.FLOAT;
        this.weights = new WeightStore(graph(), tensors);
    }

    /** The same over tensors by their full names and in floats, for heads beside the encoder. */
    EncoderOperators outside() {
        return new EncoderOperators(this);
    }

    EncoderWeights form() {
        return form;
    }

    boolean has(String stored) {
        return tensors.has(stored);
    }

    StoredTensors tensors() {
        return tensors;
    }

    /** Rows of the table {@code stored}.weight, which is (rows, width). */
    Value lookUp(Value ids, String stored, int rows, int width) {
        return op("Gather", Map.of("axis", 0), weights.table(stored + ".weight", rows, width), ids);
    }

    /** x·Wᵀ + b for one or more stored layers of the same input, stacked. */
    Value dense(Value x, int in, int out, String... stored) {
        return linear(x, in, out, true, stored);
    }

    /** The same, with biases or without. */
    Value linear(Value x, int in, int out, boolean biased, String... stored) {
        int[] rows = new int[stored.length];
        Arrays.fill(rows, out);
        return linear(x, in, rows, biased, List.of(stored));
    }

    /** The same for layers of {@code rows} outputs each. */
    Value linear(Value x, int in, int[] rows, boolean biased, List<String> stored) {
        Value product = form == EncoderWeights.BITS_8
                ? rounded(x, in, rows, stored)
                : op("MatMul", Map.of(), x, weights.transposed(in, rows, stored));
        return biased ? add(product, weights.bias(rows, stored)) : product;
    }

    private Value rounded(Value x, int in, int[] rows, List<String> stored) {
        List<Value> matrix = weights.rounded(in, rows, stored);
        return microsoft("DynamicQuantizeMatMul", Map.of(), x, matrix.get(0), matrix.get(1));
    }

    /** (x − mean) / √(variance + ε) · weight + bias (Ba et al., arXiv:1607.06450). */
    Value layerNorm(Value x, String stored, int width, double epsilon) {
        return layerNorm(x, stored, width, epsilon, true);
    }

    /** The same, with a bias or without. */
    Value layerNorm(Value x, String stored, int width, double epsilon, boolean biased) {
        Map<String, ?> attributes = Map.of("axis", -1, "epsilon", (float) epsilon);
        boolean old = has(stored + ".gamma"); // as checkpoints from TensorFlow have it
        Value weight = weights.vector(stored + (old ? ".gamma" : ".weight"), width);
        return biased
                ? op(
                        "LayerNormalization",
                        attributes,
                        x,
                        weight,
                        weights.vector(stored + (old ? ".beta" : ".bias"), width))
                : op("LayerNormalization", attributes, x, weight);
    }

    /** A stored table as a value, (rows, width). */
    Value table(String stored, int rows, int width) {
        return weights.table(stored, rows, width);
    }

    /** A stored convolution kernel and its bias. */
    List<Value> kernel(String stored, int out, int in, int size) {
        return List.of(weights.kernel(stored + ".weight", out, in, size), weights.vector(stored + ".bias", out));
    }

    /** f(x) for a function as transformers names it. */
    Value activate(Value x, String function) {
        return ActivationFunction.of(function, tensors.source()).write(graph(), x, fresh(function));
    }

    /** A plain MLP: second(f(first(x))). */
    Value mlp(Value x, int width, int inner, String function, String first, String second) {
        return dense(activate(dense(x, width, inner, first), function), inner, width, second);
    }

    /** A gated MLP (Shazeer, arXiv:2002.05202): down(f(gate(x)) · up(x)). */
    Value gatedMlp(Value x, int width, int inner, boolean biased, String function, List<String> gateUpDown) {
        Value both = linear(x, width, inner, biased, gateUpDown.get(0), gateUpDown.get(1));
        List<Value> halves = split(both, inner, inner);
        Value gated = multiply(activate(halves.get(0), function), halves.get(1));
        return linear(gated, inner, width, biased, gateUpDown.get(2));
    }
}
