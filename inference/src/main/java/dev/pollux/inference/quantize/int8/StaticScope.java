package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Node;
import java.util.Set;

/**
 * The nodes whose values static quantization rounds. <em>Immutable.</em>
 *
 * @param operators names of standard operators
 * @param weightsOnly whether only products with constant factors are rounded, and of these only the inputs
 */
record StaticScope(Set<String> operators, boolean weightsOnly) {

    /*
     * An attention mask (−10000 for a masked token) ruins the grid of its sum with the scores: with 256 steps of 39, all scores of a row
     * become equal. Rounded products of queries and keys, and rounded results, cost far more than rounded inputs of weights. So the
     * default leaves them in float: the runtime multiplies integers and gives floats.
     */

    /** The products with weights; the default. */
    static final StaticScope WEIGHTS = new StaticScope(Set.of("MatMul", "Gemm"), true);

    /** All operators that have a rule, as ONNX Runtime's quantizer takes them by default. */
    static final StaticScope ALL = new StaticScope(
            Set.of(
                    "Add",
                    "AveragePool",
                    "BatchNormalization",
                    "Clip",
                    "Concat",
                    "Conv",
                    "ConvTranspose",
                    "Flatten",
                    "Gather",
                    "GatherElements",
                    "Gemm",
                    "GlobalAveragePool",
                    "InstanceNormalization",
                    "LayerNormalization",
                    "LeakyRelu",
                    "MatMul",
                    "MaxPool",
                    "Mul",
                    "Relu",
                    "Reshape",
                    "Sigmoid",
                    "Slice",
                    "Softmax",
                    "Split",
                    "Squeeze",
                    "TopK",
                    "Transpose",
                    "Unsqueeze"),
            false);

    StaticScope {
        operators = Set.copyOf(operators);
    }

    boolean contains(Node node) {
        return node.domain().isEmpty() && operators.contains(node.operator());
    }
}
