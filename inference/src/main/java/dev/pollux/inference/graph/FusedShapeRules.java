package dev.pollux.inference.graph;

import dev.pollux.inference.graph.Operation.Typed;
import dev.pollux.inference.graph.Shape.Dim;
import dev.pollux.inference.graph.ShapeRules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Output types and shapes of ONNX Runtime's contrib operators, after its operator list. */
final class FusedShapeRules {

    static final Map<String, Rule> RULES = Map.ofEntries(
            Map.entry("MatMulNBits", FusedShapeRules::matMulBlocks),
            Map.entry("DynamicQuantizeMatMul", FusedShapeRules::matMulRounded),
            Map.entry("GatherBlockQuantized", FusedShapeRules::gatherBlocks),
            Map.entry("SkipSimplifiedLayerNormalization", FusedShapeRules::skipNorm),
            Map.entry("GroupQueryAttention", FusedShapeRules::groupQueryAttention),
            Map.entry("MultiHeadAttention", FusedShapeRules::multiHeadAttention),
            Map.entry("RotaryEmbedding", FusedShapeRules::rotary),
            Map.entry("FusedMatMul", FusedShapeRules::matMul),
            Map.entry("CausalConvWithState", FusedShapeRules::causalConvolution),
            Map.entry("LinearAttention", FusedShapeRules::linearAttention),
            Map.entry("QuickGelu", op -> op.of(op.shape(0))));

    private FusedShapeRules() {}

    /** op(A) (…, M, K) and op(B) (…, K, N) to (…, M, N), op the identity or a transpose of the last two axes. */
    private static List<Typed> matMul(Operation op) {
        Shape a = op.shape(0);
        Shape b = op.shape(1);
        if (a.rank() < 2 || b.rank() < 2) {
            return op.of(Shape.UNKNOWN);
        }
        boolean turnedA = op.node().integer("transA", 0) != 0;
        boolean turnedB = op.node().integer("transB", 0) != 0;
        op.same(a.dim(turnedA ? -2 : -1), b.dim(turnedB ? -1 : -2), "the inner dimensions must be equal");
        Shape batch = op.broadcast(
                Shape.of(a.dims().subList(0, a.rank() - 2)), Shape.of(b.dims().subList(0, b.rank() - 2)));
        List<Dim> dims = new ArrayList<>(batch.dims());
        dims.add(a.dim(turnedA ? -1 : -2));
        dims.add(b.dim(turnedB ? -2 : -1));
        return op.of(Shape.of(dims));
    }

    /** x (…, K), codes (N, blocks, bytes of a block), scales (N · blocks) to (…, N). */
    private static List<Typed> matMulBlocks(Operation op) {
        long columns = op.node().integer("K", 0);
        long rows = op.node().integer("N", 0);
        op.same(op.shape(0).last(), Dim.of(columns), "the last dimension must be K, " + columns);
        op.same(op.shape(1).dim(0), Dim.of(rows), "there must be codes for N, " + rows + ", rows");
        op.same(op.shape(2).volume(), Dim.of(rows).times(op.shape(1).dim(1)), "there must be a scale for each block");
        return op.of(op.shape(0).with(-1, Dim.of(rows)));
    }

    /** x (…, K), codes (K, N) and scales (N) to (…, N). */
    private static List<Typed> matMulRounded(Operation op) {
        op.same(
                op.shape(0).last(),
                op.shape(1).dim(0),
                "the last dimension of the first must be the first of the second");
        op.same(op.shape(1).dim(1), op.shape(2).last(), "there must be a scale for each column");
        return op.of(op.shape(0).with(-1, op.shape(1).dim(1)));
    }

    /** The last block of a row may exceed the table's width, so the width is unknown. */
    private static List<Typed> gatherBlocks(Operation op) {
        ElementType type = op.in(2).type();
        if (!op.shape(1).isRanked()) {
            return op.of(type, Shape.UNKNOWN);
        }
        List<Dim> dims = new ArrayList<>(op.shape(1).dims());
        dims.add(Dim.UNKNOWN);
        return op.of(type, Shape.of(dims));
    }

    /** (norm of x + skip, –, –, x + skip). */
    private static List<Typed> skipNorm(Operation op) {
        op.require(op.shape(0).fits(op.shape(1)), "both summands must be of one shape");
        op.same(op.shape(2).last(), op.shape(0).last(), "the weight must be as long as the last dimension");
        return op.of(op.shape(0), Shape.UNKNOWN, Shape.UNKNOWN, op.shape(0));
    }

    /** q (B, S, heads · width) or q, k and v packed, with keys and values (B, kvHeads, P, width) to (B, S, heads · width). */
    private static List<Typed> groupQueryAttention(Operation op) {
        long heads = op.node().integer("num_heads", 0);
        long few = op.node().integer("kv_num_heads", 0);
        Dim width = op.shape(3).dim(3);
        boolean packed = !op.has(1);
        Dim query = width.times(Dim.of(packed ? heads + 2 * few : heads));
        op.same(
                op.shape(0).last(),
                query,
                packed ? "q, k and v must have all heads' width" : "the queries must have all heads' width");
        if (!packed) {
            op.same(op.shape(1).last(), width.times(Dim.of(few)), "the keys must have all heads' width");
            op.same(op.shape(2).last(), width.times(Dim.of(few)), "the values must have all heads' width");
        }
        op.same(op.shape(3).dim(1), Dim.of(few), "the keys read before must have " + few + " heads");
        Shape present = op.shape(3).with(2, Dim.named("T"));
        return op.of(op.shape(0).with(-1, width.times(Dim.of(heads))), present, present);
    }

    /** q (B, S, heads · width), k and v likewise, and a bias that spreads over (B, heads, S, S), to the shape of q. */
    private static List<Typed> multiHeadAttention(Operation op) {
        long heads = op.node().integer("num_heads", 1);
        op.require(op.shape(0).last().over(Dim.of(heads)).isPresent(), "the queries must have " + heads + " heads");
        op.same(op.shape(0).last(), op.shape(1).last(), "queries and keys must be equally wide");
        op.require(op.shape(2).last().over(Dim.of(heads)).isPresent(), "the values must have " + heads + " heads");
        return op.of(op.shape(0).with(-1, op.shape(2).last()));
    }

    /** x (B, S, heads · width) with tables (positions, pairs). */
    private static List<Typed> rotary(Operation op) {
        long heads = op.node().integer("num_heads", 0);
        long turned = op.node().integer("rotary_embedding_dim", 0);
        Dim pairs = op.shape(2).last();
        op.same(pairs, op.shape(3).last(), "cosines and sines must be of one shape");
        if (heads > 0) {
            Dim width = op.required(op.shape(0).last().over(Dim.of(heads)), "there must be " + heads + " heads");
            Dim whole = turned > 0 ? Dim.of(turned) : width;
            op.same(pairs.times(Dim.of(2)), whole, "the tables must have a column for each pair that is turned");
        }
        return op.of(op.shape(0));
    }

    /** x (B, channels, S), weight (channels, 1, kernel), the last inputs (B, channels, kernel − 1). */
    private static List<Typed> causalConvolution(Operation op) {
        op.same(op.shape(0).dim(1), op.shape(1).dim(0), "there must be a kernel for each channel");
        if (op.has(2)) {
            op.same(op.shape(2).last(), op.shape(1).dim(0), "there must be a bias for each channel");
        }
        Dim kernel = op.shape(1).last();
        Dim before = kernel.isFixed() ? Dim.of(kernel.factor() - 1) : Dim.UNKNOWN;
        if (op.has(3)) {
            op.same(op.shape(3).last(), before, "the state must hold the kernel's length less 1");
        }
        return op.of(op.shape(0), op.shape(0).with(-1, before));
    }

    /** q and k (B, S, heads · keyWidth), v (B, S, heads · valueWidth), the state (B, heads, keyWidth, valueWidth). */
    private static List<Typed> linearAttention(Operation op) {
        Dim heads = Dim.of(op.node().integer("kv_num_heads", 1));
        String rule = "keys and values must have " + heads + " heads";
        Dim keyWidth = op.required(op.shape(1).last().over(heads), rule);
        Dim valueWidth = op.required(op.shape(2).last().over(heads), rule);
        op.same(op.shape(0).last(), op.shape(1).last(), "queries and keys must be equally wide");
        if (op.has(3)) {
            op.same(op.shape(3).dim(2), keyWidth, "the state must be as high as a key is wide");
            op.same(op.shape(3).dim(3), valueWidth, "the state must be as wide as a value");
        }
        Shape state = Shape.of(List.of(op.shape(0).dim(0), heads, keyWidth, valueWidth));
        return op.of(op.shape(2), state);
    }
}
