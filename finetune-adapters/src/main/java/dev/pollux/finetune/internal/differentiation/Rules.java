package dev.pollux.finetune.internal.differentiation;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Node;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/** The rules by operator. */
final class Rules {

    private static final Map<String, Rule> STANDARD = Map.ofEntries(
            Map.entry("Abs", new AbsRule()),
            Map.entry("Add", new AddRule()),
            Map.entry("Cast", new CastRule()),
            Map.entry("Clip", new ClipRule()),
            Map.entry("Concat", new ConcatRule()),
            Map.entry("Cos", new CosRule()),
            Map.entry("CumSum", new CumSumRule()),
            Map.entry("Div", new DivRule()),
            Map.entry("Elu", new EluRule()),
            Map.entry("Erf", new ErfRule()),
            Map.entry("Exp", new ExpRule()),
            Map.entry("Expand", new ExpandRule()),
            Map.entry("Gather", new GatherRule()),
            Map.entry("GatherElements", new GatherElementsRule()),
            Map.entry("GatherND", new GatherNdRule()),
            Map.entry("Gelu", new GeluRule()),
            Map.entry("Gemm", new GemmRule()),
            Map.entry("HardSwish", new HardSwishRule()),
            Map.entry("Identity", new IdentityRule()),
            Map.entry("LayerNormalization", new LayerNormRule()),
            Map.entry("LeakyRelu", new LeakyReluRule()),
            Map.entry("Log", new LogRule()),
            Map.entry("LogSoftmax", new LogSoftmaxRule()),
            Map.entry("MatMul", new MatMulRule()),
            Map.entry("Max", new MaxRule()),
            Map.entry("Min", new MinRule()),
            Map.entry("Mish", new MishRule()),
            Map.entry("Mul", new MulRule()),
            Map.entry("Neg", new NegRule()),
            Map.entry("Pad", new PadRule()),
            Map.entry("Pow", new PowRule()),
            Map.entry("Reciprocal", new ReciprocalRule()),
            Map.entry("ReduceMax", new ReduceMaxRule()),
            Map.entry("ReduceMean", new ReduceMeanRule()),
            Map.entry("ReduceSum", new ReduceSumRule()),
            Map.entry("Relu", new ReluRule()),
            Map.entry("Reshape", new ReshapeRule()),
            Map.entry("ScatterElements", new ScatterElementsRule()),
            Map.entry("ScatterND", new ScatterNdRule()),
            Map.entry("Sigmoid", new SigmoidRule()),
            Map.entry("SimplifiedLayerNormalization", new RmsNormRule()),
            Map.entry("Sin", new SinRule()),
            Map.entry("Slice", new SliceRule()),
            Map.entry("Softmax", new SoftmaxRule()),
            Map.entry("Softplus", new SoftplusRule()),
            Map.entry("Split", new SplitRule()),
            Map.entry("Sqrt", new SqrtRule()),
            Map.entry("Squeeze", new ReshapeRule()),
            Map.entry("Sub", new SubRule()),
            Map.entry("Tanh", new TanhRule()),
            Map.entry("TopK", new TopKRule()),
            Map.entry("Transpose", new TransposeRule()),
            Map.entry("Unsqueeze", new ReshapeRule()),
            Map.entry("Where", new WhereRule()));

    private static final Map<String, Rule> FUSED = Map.ofEntries(
            Map.entry("FusedMatMul", new FusedMatMulRule()),
            Map.entry("MultiHeadAttention", new MultiHeadAttentionRule()),
            Map.entry("QuickGelu", new QuickGeluRule()),
            Map.entry("RotaryEmbedding", new RotaryRule()));

    private Rules() {}

    /** The rule of an operator; empty if there is none. */
    static Optional<Rule> of(Node node) {
        Map<String, Rule> rules = node.domain().equals(Graph.MICROSOFT) ? FUSED : STANDARD;
        return Optional.ofNullable(rules.get(node.operator()));
    }

    /** The names of the operators with a rule. */
    static SortedSet<String> operators() {
        SortedSet<String> all = new TreeSet<>(STANDARD.keySet());
        all.addAll(FUSED.keySet());
        return all;
    }
}
