package dev.pollux.inference.graph;

import dev.pollux.inference.graph.Operation.Typed;
import dev.pollux.inference.graph.Shape.Dim;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Output types and shapes of the standard operators, after the ONNX operator reference (opset 21). */
final class ShapeRules {

    /*
     * A rule checks as much as is known. A dimension that is not known fits every other, so that a rule may be applied to
     * graphs of other exporters, too. What a run decides has a name, and equal names are equal sizes: a reshape from
     * (1, S, 64) to (0, -1, 8, 8) is (1, S, 8, 8), as S · 64 / 64 is S.
     */

    /** Returns the type and shape of each result. */
    @FunctionalInterface
    interface Rule {
        List<Typed> results(Operation op);
    }

    private static final Rule UNKNOWN = op -> List.of();
    private static final Map<String, Rule> STANDARD = standard();

    private ShapeRules() {}

    static Rule of(Node node) {
        Map<String, Rule> rules = node.domain().isEmpty() ? STANDARD : FusedShapeRules.RULES;
        return rules.getOrDefault(node.operator(), UNKNOWN);
    }

    private static Map<String, Rule> standard() {
        Map<String, Rule> rules = new HashMap<>();
        for (String operator :
                "Abs Clip Cos CumSum Elu Erf Exp Gelu HardSwish Identity LeakyRelu Log LogSoftmax Mish Neg Not Reciprocal Relu"
                        .concat(" Sigmoid Sign Sin Softmax Softplus Sqrt Tanh")
                        .split(" ")) {
            rules.put(operator, op -> op.of(op.shape(0)));
        }
        for (String operator : "Add Div Max Min Mul Pow Sub".split(" ")) {
            rules.put(operator, op -> op.of(op.broadcast(0)));
        }
        for (String operator : "And Equal Greater GreaterOrEqual Less LessOrEqual Or".split(" ")) {
            rules.put(operator, op -> op.of(ElementType.BOOL, op.broadcast(0)));
        }
        rules.put("Where", op -> op.of(op.in(1).type(), op.broadcast(0)));
        rules.put(
                "Cast",
                op -> op.of(ElementType.of((int) op.node().integer("to", 0)).orElse(ElementType.OTHER), op.shape(0)));
        rules.put("LayerNormalization", ShapeRules::norm);
        rules.put("SimplifiedLayerNormalization", ShapeRules::norm);
        rules.put("MatMul", ShapeRules::matMul);
        rules.put("Gemm", ShapeRules::gemm);
        rules.put("Conv", ShapeRules::convolution);
        rules.put("AveragePool", ShapeRules::pool);
        rules.put("Gather", ShapeRules::gather);
        rules.put("GatherElements", op -> op.of(op.shape(1)));
        rules.put("GatherND", ShapeRules::gatherN);
        rules.put("ScatterElements", ShapeRules::scatter);
        rules.put("ScatterND", op -> op.of(op.shape(0)));
        rules.put("ReduceMax", ShapeRules::reduce);
        rules.put("ReduceMean", ShapeRules::reduce);
        rules.put("ReduceSum", ShapeRules::reduce);
        rules.put("ArgMax", ShapeRules::argMax);
        rules.put("TopK", ShapeRules::top);
        rules.put(
                "NonZero",
                op -> op.of(
                        ElementType.INT64,
                        op.shape(0).isRanked()
                                ? Shape.of(List.of(Dim.of(op.shape(0).rank()), Dim.UNKNOWN))
                                : Shape.UNKNOWN));
        rules.put("Range", op -> op.of(Shape.of(List.of(Dim.UNKNOWN))));
        rules.put("Shape", ShapeRules::shape);
        rules.put("Size", op -> op.of(ElementType.INT64, Shape.of()));
        rules.put("Reshape", ShapeRules::reshape);
        rules.put("Transpose", ShapeRules::transpose);
        rules.put("Squeeze", ShapeRules::squeeze);
        rules.put("Unsqueeze", ShapeRules::unsqueeze);
        rules.put("Expand", ShapeRules::expand);
        rules.put("Concat", ShapeRules::concat);
        rules.put("Split", ShapeRules::split);
        rules.put("Pad", ShapeRules::pad);
        return rules;
    }

    private static List<Typed> norm(Operation op) {
        Dim width = op.shape(0).last();
        for (int i = 1; i < op.count(); i++) {
            if (op.has(i) && op.shape(i).isRanked()) {
                op.same(op.shape(i).last(), width, "the weight must be as long as the last dimension");
            }
        }
        return op.of(op.shape(0));
    }

    private static List<Typed> matMul(Operation op) {
        Shape a = op.shape(0);
        Shape b = op.shape(1);
        if (!a.isRanked() || !b.isRanked() || a.rank() < 2 || b.rank() < 2) {
            return op.of(Shape.UNKNOWN);
        }
        op.same(a.last(), b.dim(-2), "the last dimension of the first must be the last but one of the second");
        Shape batch = op.broadcast(
                Shape.of(a.dims().subList(0, a.rank() - 2)), Shape.of(b.dims().subList(0, b.rank() - 2)));
        List<Dim> dims = new ArrayList<>(batch.dims());
        dims.add(a.dim(-2));
        dims.add(b.last());
        return op.of(Shape.of(dims));
    }

    private static List<Typed> gemm(Operation op) {
        boolean turnedA = op.node().integer("transA", 0) != 0;
        boolean turnedB = op.node().integer("transB", 0) != 0;
        Shape a = op.shape(0);
        Shape b = op.shape(1);
        if (!a.isRanked() || !b.isRanked()) {
            return op.of(Shape.UNKNOWN);
        }
        op.same(a.dim(turnedA ? 0 : 1), b.dim(turnedB ? 1 : 0), "the inner dimensions must be equal");
        return op.of(Shape.of(List.of(a.dim(turnedA ? 1 : 0), b.dim(turnedB ? 0 : 1))));
    }

    /** (N, C, L) to (N, C, L / stride) for windows that do not overlap; others are not computed. */
    private static List<Typed> pool(Operation op) {
        List<Long> window = op.node().integers("kernel_shape");
        Shape x = op.shape(0);
        boolean plain = window.size() == 1
                && window.equals(op.node().integers("strides"))
                && op.node().integers("pads").stream().allMatch(pad -> pad == 0);
        if (!plain || x.rank() != 3 || !x.last().isFixed()) {
            return op.of(Shape.UNKNOWN);
        }
        return op.of(x.with(2, Dim.of(x.last().factor() / window.get(0))));
    }

    private static List<Typed> convolution(Operation op) {
        Shape x = op.shape(0);
        Shape weight = op.shape(1);
        if (!x.isRanked() || !weight.isRanked()) {
            return op.of(Shape.UNKNOWN);
        }
        Dim channels = weight.dim(1).times(Dim.of(op.node().integer("group", 1)));
        op.same(x.dim(1), channels, "the second dimension must be the channels of the kernel times the groups");
        long pads =
                op.node().integers("pads").stream().mapToLong(Long::longValue).sum();
        boolean kept = x.rank() == 3 && weight.size(2) == pads + 1;
        Shape result = x.with(1, weight.dim(0));
        for (int i = 2; i < x.rank() && !kept; i++) {
            result = result.with(i, Dim.UNKNOWN);
        }
        return op.of(result);
    }

    private static List<Typed> gather(Operation op) {
        Shape data = op.shape(0);
        Shape indices = op.shape(1);
        if (!data.isRanked() || !indices.isRanked()) {
            return op.of(Shape.UNKNOWN);
        }
        int axis = op.axis(op.node().integer("axis", 0), data.rank());
        List<Dim> dims = new ArrayList<>(data.dims().subList(0, axis));
        dims.addAll(indices.dims());
        dims.addAll(data.dims().subList(axis + 1, data.rank()));
        return op.of(Shape.of(dims));
    }

    private static List<Typed> gatherN(Operation op) {
        Shape data = op.shape(0);
        Shape indices = op.shape(1);
        if (!data.isRanked() || !indices.isRanked() || !indices.last().isFixed()) {
            return op.of(Shape.UNKNOWN);
        }
        int taken = (int) (op.node().integer("batch_dims", 0) + indices.last().factor());
        op.require(taken <= data.rank(), "an index must have at most as many numbers as the first has dimensions");
        List<Dim> dims = new ArrayList<>(indices.dims().subList(0, indices.rank() - 1));
        dims.addAll(data.dims().subList(taken, data.rank()));
        return op.of(Shape.of(dims));
    }

    private static List<Typed> scatter(Operation op) {
        op.require(op.shape(1).fits(op.shape(2)), "indices and updates must be of one shape");
        return op.of(op.shape(0));
    }

    private static List<Typed> reduce(Operation op) {
        Shape x = op.shape(0);
        long[] axes = op.constant(1).orElse(new long[0]);
        if (!x.isRanked() || axes.length == 0) {
            return op.of(Shape.UNKNOWN);
        }
        return op.of(reduced(op, x, axes));
    }

    private static Shape reduced(Operation op, Shape x, long... axes) {
        boolean kept = op.node().integer("keepdims", 1) != 0;
        boolean[] gone = new boolean[x.rank()];
        for (long axis : axes) {
            gone[op.axis(axis, x.rank())] = true;
        }
        List<Dim> dims = new ArrayList<>();
        for (int i = 0; i < gone.length; i++) {
            if (!gone[i]) {
                dims.add(x.dim(i));
            } else if (kept) {
                dims.add(Dim.of(1));
            }
        }
        return Shape.of(dims);
    }

    private static List<Typed> argMax(Operation op) {
        Shape x = op.shape(0);
        return op.of(ElementType.INT64, x.isRanked() ? reduced(op, x, op.node().integer("axis", 0)) : Shape.UNKNOWN);
    }

    private static List<Typed> top(Operation op) {
        Shape x = op.shape(0);
        if (!x.isRanked()) {
            return List.of();
        }
        int axis = op.axis(op.node().integer("axis", -1), x.rank());
        Dim count =
                op.constant(1).filter(k -> k.length == 1).map(k -> Dim.of(k[0])).orElse(Dim.UNKNOWN);
        Dim all = x.dim(axis);
        op.require(
                !count.isFixed() || !all.isFixed() || count.factor() <= all.factor(),
                "at most " + all + " can be chosen but " + count + " are wanted");
        Shape chosen = x.with(axis, count);
        return List.of(new Typed(op.in(0).type(), chosen), new Typed(ElementType.INT64, chosen));
    }

    private static List<Typed> shape(Operation op) {
        int rank = op.shape(0).rank();
        long start = op.node().integer("start", 0);
        long end = op.node().integer("end", rank);
        long length = (end < 0 ? end + rank : Math.min(end, rank)) - (start < 0 ? start + rank : start);
        Dim size = op.shape(0).isRanked() ? Dim.of(Math.max(0, length)) : Dim.UNKNOWN;
        return op.of(ElementType.INT64, Shape.of(List.of(size)));
    }

    private static List<Typed> reshape(Operation op) {
        long[] wanted = op.constant(1).orElse(new long[0]);
        Shape x = op.shape(0);
        if (wanted.length == 0) {
            return op.of(Shape.UNKNOWN);
        }
        List<Dim> dims = new ArrayList<>();
        Dim rest = x.volume();
        int open = -1;
        for (int i = 0; i < wanted.length; i++) {
            Dim dim = wanted[i] == 0 ? x.dim(i) : wanted[i] == -1 ? Dim.UNKNOWN : Dim.of(wanted[i]);
            if (wanted[i] == -1) {
                open = i;
            } else {
                rest = op.required(rest.over(dim), "the first cannot become " + Arrays.toString(wanted));
            }
            dims.add(dim);
        }
        if (open >= 0) {
            dims.set(open, rest);
        } else {
            op.require(rest.fits(Dim.of(1)), "the first cannot become " + Arrays.toString(wanted));
        }
        return op.of(Shape.of(dims));
    }

    private static List<Typed> transpose(Operation op) {
        Shape x = op.shape(0);
        List<Long> order = op.node().integers("perm");
        if (!x.isRanked()) {
            return op.of(Shape.UNKNOWN);
        }
        List<Dim> dims = new ArrayList<>();
        if (order.isEmpty()) {
            dims.addAll(x.dims());
            Collections.reverse(dims);
        } else {
            op.require(order.size() == x.rank(), "the order " + order + " must name each dimension once");
            order.forEach(from -> dims.add(x.dim(from.intValue())));
        }
        return op.of(Shape.of(dims));
    }

    private static List<Typed> squeeze(Operation op) {
        Shape x = op.shape(0);
        if (!x.isRanked()) {
            return op.of(Shape.UNKNOWN);
        }
        long[] axes = op.constant(1).orElse(new long[0]);
        if (op.has(1) && axes.length == 0) {
            return op.of(Shape.UNKNOWN);
        }
        List<Dim> dims = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            int at = i;
            boolean named = Arrays.stream(axes).anyMatch(axis -> op.axis(axis, x.rank()) == at);
            boolean gone = axes.length == 0 ? x.dim(i).equals(Dim.of(1)) : named;
            if (!gone) {
                dims.add(x.dim(i));
            }
        }
        return op.of(Shape.of(dims));
    }

    private static List<Typed> unsqueeze(Operation op) {
        Shape x = op.shape(0);
        long[] axes = op.constant(1).orElse(new long[0]);
        if (!x.isRanked() || axes.length == 0) {
            return op.of(Shape.UNKNOWN);
        }
        int rank = x.rank() + axes.length;
        Dim[] dims = new Dim[rank];
        for (long axis : axes) {
            dims[op.axis(axis, rank)] = Dim.of(1);
        }
        int from = 0;
        for (int i = 0; i < rank; i++) {
            if (dims[i] == null) {
                dims[i] = x.dim(from++);
            }
        }
        return op.of(Shape.of(Arrays.asList(dims)));
    }

    private static List<Typed> expand(Operation op) {
        return op.of(op.constant(1)
                .map(sizes -> op.broadcast(op.shape(0), Shape.of(sizes)))
                .orElse(Shape.UNKNOWN));
    }

    private static List<Typed> concat(Operation op) {
        Shape first = op.shape(0);
        if (!first.isRanked()) {
            return op.of(Shape.UNKNOWN);
        }
        int axis = op.axis(op.node().integer("axis", 0), first.rank());
        long sum = 0;
        boolean fixed = true;
        for (int i = 0; i < op.count(); i++) {
            Shape x = op.shape(i);
            op.require(
                    x.with(x.isRanked() && x.rank() > axis ? axis : 0, Dim.UNKNOWN)
                            .fits(first.with(axis, Dim.UNKNOWN)),
                    "all dimensions but the joined one must be equal");
            fixed &= x.isRanked() && x.dim(axis).isFixed();
            sum += fixed ? x.dim(axis).factor() : 0;
        }
        return op.of(first.with(axis, fixed ? Dim.of(sum) : Dim.UNKNOWN));
    }

    private static List<Typed> split(Operation op) {
        Shape x = op.shape(0);
        long[] sizes = op.constant(1).orElse(new long[0]);
        if (!x.isRanked() || sizes.length == 0) {
            return List.of();
        }
        int axis = op.axis(op.node().integer("axis", 0), x.rank());
        long sum = Arrays.stream(sizes).sum();
        op.same(
                x.dim(axis),
                Dim.of(sum),
                "the parts " + Arrays.toString(sizes) + " must sum to the dimension that is split");
        return op.of(Arrays.stream(sizes)
                .mapToObj(size -> x.with(axis, Dim.of(size)))
                .toArray(Shape[]::new));
    }

    private static List<Typed> pad(Operation op) {
        Shape x = op.shape(0);
        long[] pads = op.constant(1).orElse(new long[0]);
        if (!x.isRanked() || pads.length == 0) {
            return op.of(Shape.UNKNOWN);
        }
        op.require(pads.length == 2 * x.rank(), "there must be two pads for each dimension");
        Shape padded = x;
        for (int i = 0; i < x.rank(); i++) {
            long more = pads[i] + pads[i + x.rank()];
            if (more != 0) {
                padded = padded.with(i, x.dim(i).isFixed() ? Dim.of(x.dim(i).factor() + more) : Dim.UNKNOWN);
            }
        }
        return op.of(padded);
    }
}
