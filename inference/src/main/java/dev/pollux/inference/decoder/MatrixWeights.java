package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.block.BlockCodes;
import dev.pollux.inference.internal.block.MinimumColumns;
import dev.pollux.inference.internal.layer.Head;
import dev.pollux.inference.internal.layer.Linear;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Adds products with a checkpoint's matrices to a graph, in the format set by the options. <em>Confined to one thread.</em>
 */
final class MatrixWeights {

    private static final int HEAD_BITS = 8;

    private static final int BLOCK_4_BITS = 32;
    private static final int BLOCK_8_BITS = 64;
    private static final int BLOCK_GATED = 256;

    private final GraphBuilder graph;
    private final TensorFile tensors;
    private final ExportOptions options;
    private final BlockMeans means;
    private final MinimumForm minima;
    private final List<MatrixUse> uses = new ArrayList<>();
    private double share = 1;

    MatrixWeights(GraphBuilder graph, TensorFile tensors, ExportOptions options) {
        this.graph = graph;
        this.tensors = tensors;
        this.options = options;
        this.means = new BlockMeans(graph);
        this.minima = MinimumForm.of(tensors, options.weights());
    }

    /** The matrices used, in graph order. */
    List<MatrixUse> uses() {
        return uses;
    }

    void readBy(double newShare) {
        share = newShare;
    }

    /** A matrix in the graph: floats (columns, rows), or codes and scales in a form. */
    private record Placed(StackedMatrix matrix, List<Weight> weights, java.util.Optional<BlockForm> form) {
        Value value(int index) {
            return weights.get(index).value();
        }
    }

    /** y = x·Wᵀ (+ bias) for stored matrices stacked. */
    Value linear(Value x, String output, Linear linear) {
        StackedMatrix matrix = linear.matrix();
        boolean router = linear.role() == Linear.Role.ROUTER;
        boolean biased = isBiased(matrix.names());
        String product = biased ? output + ".product" : output;
        List<StackedMatrix> parts = router ? List.of(matrix) : minima.runs(x, matrix);
        List<Weight> weights = new ArrayList<>();
        List<Value> products = new ArrayList<>();
        for (StackedMatrix part : parts) {
            String suffix = parts.size() == 1 ? "" : "." + products.size();
            Placed placed = router || isFloat(part)
                    ? floats(output + suffix + ".weight", part)
                    : blocks(output + suffix, form(x, new Linear(part, linear.role())));
            products.add(multiply(x, product + suffix, placed));
            weights.addAll(placed.weights());
        }
        Value y = products.size() == 1
                ? products.get(0)
                : graph.op("Concat", product, products, Map.of("axis", x.shape().rank() - 1));
        Placed all = new Placed(matrix, weights, java.util.Optional.empty());
        use(MatrixUse.Kind.PRODUCT, x, y, all, !router && takesAdapter(matrix));
        return biased
                ? graph.op("Add", output, y, stackedBias(output + ".bias", matrix.names(), matrix.rowsOfParts()))
                : y;
    }

    private BlockForm form(Value x, Linear linear) {
        return minima.fits(x, linear.matrix())
                ? MinimumForm.of(linear.matrix())
                : form(linear.matrix(), options.weights() == WeightFormat.BITS_4 ? 4 : 8, block(linear));
    }

    private boolean isBiased(List<String> weights) {
        return weights.stream().map(MatrixWeights::biasName).anyMatch(tensors.tensors()::containsKey);
    }

    private static String biasName(String weight) {
        return weight.replace(".weight", ".bias");
    }

    private static int block(Linear linear) {
        if (linear.role() != Linear.Role.GATED_INPUT) {
            return BLOCK_8_BITS;
        }
        int block = BLOCK_GATED;
        while (block > BLOCK_8_BITS && linear.matrix().columns() % block != 0) {
            block /= 2;
        }
        return block;
    }

    /**
     * Adapters of experts are not supported: they would need hundreds of inputs per layer, no training tool writes them,
     * and a value inside a branch cannot be changed from outside it.
     */
    private boolean takesAdapter(StackedMatrix matrix) {
        return !graph.inBranch() && matrix.names().stream().noneMatch(name -> name.contains(".experts."));
    }

    private void use(MatrixUse.Kind kind, Value x, Value y, Placed placed, boolean takesAdapter) {
        use(kind, x, y, placed, placed.matrix().names(), takesAdapter);
    }

    private void use(MatrixUse.Kind kind, Value x, Value y, Placed placed, List<String> names, boolean takesAdapter) {
        StackedMatrix matrix = placed.matrix();
        boolean lookup = kind == MatrixUse.Kind.LOOKUP;
        Projection projection =
                new Projection(x.name(), y.name(), names, matrix.rowsOfParts(), matrix.columns(), lookup);
        uses.add(new MatrixUse(projection, takesAdapter, kind, share, placed.weights()));
    }

    /** Rows of a table by id, (B, S, columns); {@code name} names its weights, which a tied {@link #head} shares. */
    Value embed(Value ids, String name, StackedMatrix matrix) {
        Placed placed;
        Value rows;
        if (isFloat(matrix)) {
            placed = floats(name + ".weight", matrix);
            Value turned = graph.op(
                    "Gather", name + ".rows", List.of(placed.value(0), ids), Map.of("axis", 1)); // (columns, B, S)
            rows = graph.op("Transpose", name, List.of(turned), Map.of("perm", List.of(1, 2, 0)));
        } else {
            BlockForm form = form(matrix, HEAD_BITS, BLOCK_8_BITS);
            placed = blocks(name, form);
            rows = gather(ids, name, placed, form);
        }
        use(MatrixUse.Kind.LOOKUP, ids, rows, placed, true);
        return rows;
    }

    private Value gather(Value ids, String name, Placed placed, BlockForm form) {
        int rows = form.matrix().rows();
        Value codesShape = graph.integers(name + ".codes.shape", rows, (long) form.blocks() * form.codeBytes());
        Value scalesShape = graph.integers(name + ".scales.shape", rows, form.blocks());
        Value codes = graph.op("Reshape", name + ".codes.flat", placed.value(0), codesShape);
        Value scales = graph.op("Reshape", name + ".scales.flat", placed.value(1), scalesShape);
        return graph.fused(
                "GatherBlockQuantized",
                name,
                List.of(codes, ids, scales),
                Map.of("bits", form.bits(), "block_size", form.blockSize(), "gather_axis", 0, "quantize_axis", 1));
    }

    /**
     * The product that computes logits.
     *
     * @param embedding names the weights of the embedding, which a tied head shares
     */
    Value head(Value x, String output, String embedding, Head head) {
        StackedMatrix matrix = head.matrix();
        if (!head.tied() && isFloat(matrix)) {
            Value y = linear(x, output, new Linear(matrix, Linear.Role.PLAIN));
            uses.set(uses.size() - 1, asHead(uses.get(uses.size() - 1)));
            return y;
        }
        Placed placed;
        if (head.tied()) {
            placed = placed(embedding, matrix);
        } else {
            placed = blocks(output, form(matrix, HEAD_BITS, BLOCK_8_BITS));
        }
        List<String> names = head.tied() ? List.of(head.name()) : matrix.names();
        boolean biased = isBiased(names);
        Value y = multiply(x, biased ? output + ".product" : output, placed);
        use(MatrixUse.Kind.HEAD, x, y, placed, names, head.tied() || takesAdapter(matrix));
        return biased ? graph.op("Add", output, y, stackedBias(output + ".bias", names, matrix.rowsOfParts())) : y;
    }

    private static MatrixUse asHead(MatrixUse use) {
        return new MatrixUse(use.projection(), use.takesAdapter(), MatrixUse.Kind.HEAD, use.share(), use.weights());
    }

    /** The weights added by {@link #embed}. */
    private Placed placed(String name, StackedMatrix matrix) {
        List<Weight> weights = uses.stream()
                .filter(use -> use.kind() == MatrixUse.Kind.LOOKUP
                        && use.projection().output().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("a tied head needs an embedding"))
                .weights();
        return new Placed(
                matrix,
                weights,
                isFloat(matrix)
                        ? java.util.Optional.empty()
                        : java.util.Optional.of(form(matrix, HEAD_BITS, BLOCK_8_BITS)));
    }

    private boolean isFloat(StackedMatrix matrix) {
        return options.weights() == WeightFormat.FLOAT
                || options.weights() == WeightFormat.EXACT
                        && matrix.stored(DType.F32, DType.F16, DType.BF16, DType.F64);
    }

    private boolean fits(StackedMatrix matrix, int bits) {
        return matrix.columns() % 32 == 0 && BlockCodes.fit(matrix.types(), bits);
    }

    /**
     * The form of a matrix. A matrix with exact 4-bit codes keeps 4 bits under an 8-bit default, unless 8 bits are
     * requested.
     *
     * @param block elements of a block where the matrix is rounded to 8 bits and the options leave it open
     */
    private BlockForm form(StackedMatrix matrix, int wanted, int block) {
        int bits = fits(matrix, 4) && options.weights() != WeightFormat.BITS_8 ? 4 : wanted;
        if (fits(matrix, bits)) {
            return new BlockForm(matrix, bits, BlockCodes.blockSize(matrix.types()), BlockForm.Conversion.EXACT);
        }
        int byRole = bits == 4 ? BLOCK_4_BITS : block;
        int blockSize = options.blockSize() == ExportOptions.BY_ROLE ? byRole : options.blockSize();
        return new BlockForm(matrix, bits, blockSize, BlockForm.Conversion.ROUNDED);
    }

    private Placed floats(String name, StackedMatrix matrix) {
        Shape shape = Shape.of(matrix.columns(), matrix.rows());
        Weight weight = new Weight(name, ElementType.FLOAT, shape, MatrixSource.floats(matrix));
        graph.weight(weight);
        return new Placed(matrix, List.of(weight), java.util.Optional.empty());
    }

    /** Codes (rows, blocks, bytes) and scales (rows · blocks). */
    private Placed blocks(String name, BlockForm form) {
        StackedMatrix matrix = form.matrix();
        MatrixSource.Blocked blocked = new MatrixSource.Blocked(form);
        Weight codes = new Weight(
                name + ".codes",
                ElementType.UINT8,
                Shape.of(matrix.rows(), form.blocks(), form.codeBytes()),
                MatrixSource.codes(blocked));
        Weight scales = new Weight(
                name + ".scales",
                ElementType.FLOAT,
                Shape.of((long) matrix.rows() * form.blocks()),
                MatrixSource.scales(blocked));
        graph.weight(codes);
        graph.weight(scales);
        return new Placed(matrix, List.of(codes, scales), java.util.Optional.of(form));
    }

    private Value multiply(Value x, String output, Placed placed) {
        if (placed.form().isEmpty()) {
            return graph.op("MatMul", output, x, placed.value(0));
        }
        BlockForm form = placed.form().get();
        Value input = form.conversion() == BlockForm.Conversion.MINIMA
                ? means.after(x, MinimumColumns.of(form.matrix().columns()))
                : x;
        Map<String, Integer> attributes = Map.of(
                "K",
                form.columns(),
                "N",
                form.matrix().rows(),
                "bits",
                form.bits(),
                "block_size",
                form.blockSize(),
                // Activations in int8; otherwise the kernel is silently up to 300 times slower.
                "accuracy_level",
                4);
        return graph.node(
                        "MatMulNBits",
                        Graph.MICROSOFT,
                        List.of(input, placed.value(0), placed.value(1)),
                        List.of(output),
                        attributes)
                .get(0);
    }

    /** The biases of all parts; zeros for a part without one. */
    private Value stackedBias(String name, List<String> weights, List<Integer> rows) {
        List<String> stored = new ArrayList<>();
        for (String weight : weights) {
            String bias = biasName(weight);
            boolean there = tensors.tensors().containsKey(bias);
            if (there) {
                tensors.info(bias); // marks it as read
            }
            stored.add(there ? bias : "");
        }
        int all = rows.stream().mapToInt(Integer::intValue).sum();
        return graph.floats(
                name,
                () -> {
                    float[] bias = new float[all];
                    int at = 0;
                    for (int i = 0; i < stored.size(); i++) {
                        if (!stored.get(i).isEmpty()) {
                            float[] part = tensors.floats(stored.get(i));
                            System.arraycopy(part, 0, bias, at, part.length);
                        }
                        at += rows.get(i);
                    }
                    return bias;
                },
                all);
    }
}
