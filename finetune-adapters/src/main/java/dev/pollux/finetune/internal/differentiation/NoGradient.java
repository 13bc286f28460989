package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Node;
import java.util.Set;

/** The operators whose results do not change with small changes of their inputs: comparisons, indices, shapes. */
final class NoGradient {

    private static final Set<String> OPERATORS = Set.of(
            "And",
            "ArgMax",
            "ArgMin",
            "Ceil",
            "ConstantOfShape",
            "Equal",
            "Floor",
            "Greater",
            "GreaterOrEqual",
            "IsNaN",
            "Less",
            "LessOrEqual",
            "NonZero",
            "Not",
            "Or",
            "Range",
            "Round",
            "Shape",
            "Sign",
            "Size",
            "Xor");

    private NoGradient() {}

    static boolean isOf(Node node) {
        return node.domain().isEmpty() && OPERATORS.contains(node.operator());
    }
}
