package dev.pollux.inference.internal.layer;

import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.quantize.BlockCodes;
import dev.pollux.inference.quantize.BlockWeights;
import dev.pollux.inference.quantize.WeightFormat;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Puts a checkpoint's matrices into a graph, in the form the options ask for, and counts what became of them. */
public final class WeightWriter {

    /** The size of blocks that stands for one by the role of a matrix. */
    public static final int BY_ROLE = 0;

    private static final int HEAD_BITS = 8;

    private static final int BLOCK_4_BITS = 32;
    private static final int BLOCK_8_BITS = 64;
    private static final int BLOCK_GATED = 256;

    private final GraphWriter graph;
    private final TensorFile tensors;
    private final WeightFormat format;
    private final int size;
    private final Map<String, Integer> counts = new LinkedHashMap<>();
    private final List<Projection> projections = new ArrayList<>();
    private double share = 1;
    private double stepBytes;
    private double stepWeights;

    /** @param blockSize elements of a block of rounded weights, or {@link #BY_ROLE} */
    public WeightWriter(GraphWriter graph, TensorFile tensors, WeightFormat format, int blockSize) {
        this.graph = graph;
        this.tensors = tensors;
        this.format = format;
        this.size = blockSize;
    }

    public Map<String, Integer> counts() {
        return counts;
    }

    /** What is written from now on is read for this share of the tokens; 1 at the beginning. */
    void readBy(double newShare) {
        share = newShare;
    }

    /** Bytes of matrices that are read for a token. */
    public long stepBytes() {
        return Math.round(stepBytes);
    }

    /** The weights that every token of a prompt is multiplied with. */
    public long stepWeights() {
        return Math.round(stepWeights);
    }

    private void read(StackedMatrix matrix, long bytes) {
        stepBytes += share * bytes;
        stepWeights += share * matrix.rows() * matrix.columns();
    }

    /** Where an adapter can be added. */
    public List<Projection> projections() {
        return projections;
    }

    /** What the counts mean for quality, in words. */
    public List<String> notices() {
        List<String> notices = new ArrayList<>();
        counts.forEach((what, count) -> {
            if (what.endsWith("rounded to 8 bits")) {
                notices.add(count + " matrices: " + what
                        + ", which the 4-bit kernel cannot hold; perplexity of a small model rises by about 0.7 %");
            } else if (what.endsWith("rounded to 4 bits")) {
                notices.add(count + " matrices: " + what + "; perplexity of a small model rises by 20 to 30 %");
            }
        });
        return notices;
    }

    /** y = x·Wᵀ (+ bias) for stored matrices stacked; returns the name of y, which is {@code output}. */
    public String project(String input, String output, StackedMatrix matrix) {
        return project(input, output, matrix, BLOCK_8_BITS);
    }

    /** The same for an input that is a gated product: such activations are even enough for the largest blocks. */
    public String projectGated(String input, String output, StackedMatrix matrix) {
        int block = BLOCK_GATED;
        while (block > BLOCK_8_BITS && matrix.columns() % block != 0) {
            block /= 2;
        }
        return project(input, output, matrix, block);
    }

    /** The same in floats, whatever the options say: for the few small matrices whose results are compared. */
    String projectFloat(String input, String output, StackedMatrix matrix) {
        String weight = transposed(output + ".weight", matrix);
        String bias = matrix.names().get(0).replace(".weight", ".bias");
        if (!tensors.tensors().containsKey(bias)) {
            return graph.op("MatMul", output, List.of(input, weight), Map.of());
        }
        String product = graph.op("MatMul", output + ".product", List.of(input, weight), Map.of());
        return graph.op("Add", output, List.of(product, stackedBias(output + ".bias", matrix)), Map.of());
    }

    private String project(String input, String output, StackedMatrix matrix, int block) {
        List<String> biases = matrix.names().stream()
                .map(name -> name.replace(".weight", ".bias"))
                .filter(tensors.tensors()::containsKey)
                .toList();
        String product = biases.isEmpty() ? output : output + ".product";
        note(input, product, matrix);
        if (isFloat(matrix)) {
            String weight = transposed(output + ".weight", matrix);
            graph.op("MatMul", product, List.of(input, weight), Map.of());
        } else {
            Form form = form(matrix, format == WeightFormat.BITS_4 ? 4 : 8, block);
            write(output, form);
            matMul(input, product, output, form);
        }
        if (!biases.isEmpty()) {
            graph.op("Add", output, List.of(product, stackedBias(output + ".bias", matrix)), Map.of());
        }
        return output;
    }

    /**
     * Adapters of single experts would make hundreds of inputs a layer, which no tool that trains them writes; and what a
     * branch computes cannot be added to from outside it.
     */
    private void note(String input, String output, StackedMatrix matrix) {
        if (!graph.inBranch() && matrix.names().stream().noneMatch(name -> name.contains(".experts."))) {
            projections.add(
                    new Projection(input, output, matrix.names(), matrix.rowsOfParts(), matrix.columns(), false));
        }
    }

    /** Rows of an embedding by id, (1, S, columns); {@code name} names its initializers, which {@link #head} may share. */
    public String embed(String ids, String name, StackedMatrix matrix) {
        double before = share;
        share = 0; // a row of it
        String rows = lookUp(ids, name, matrix);
        share = before;
        return rows;
    }

    private String lookUp(String ids, String name, StackedMatrix matrix) {
        projections.add(new Projection(ids, name, matrix.names(), matrix.rowsOfParts(), matrix.columns(), true));
        if (isFloat(matrix)) {
            String weight = transposed(name + ".weight", matrix);
            graph.op("Gather", name + ".rows", List.of(weight, ids), Map.of("axis", 1)); // (columns, 1, S)
            return graph.op("Transpose", name, List.of(name + ".rows"), Map.of("perm", List.of(1, 2, 0)));
        }
        Form weights = form(matrix, HEAD_BITS, BLOCK_8_BITS);
        write(name, weights);
        int rowBytes = weights.blocks() * weights.codeBytes();
        graph.integers(name + ".codes.shape", matrix.rows(), rowBytes);
        graph.integers(name + ".scales.shape", matrix.rows(), weights.blocks());
        graph.op("Reshape", name + ".codes.flat", List.of(name + ".codes", name + ".codes.shape"), Map.of());
        graph.op("Reshape", name + ".scales.flat", List.of(name + ".scales", name + ".scales.shape"), Map.of());
        graph.node(
                "GatherBlockQuantized",
                GraphWriter.MICROSOFT,
                List.of(name + ".codes.flat", ids, name + ".scales.flat"),
                List.of(name),
                Map.of(
                        "bits",
                        weights.bits(),
                        "block_size",
                        weights.blockSize(),
                        "gather_axis",
                        0,
                        "quantize_axis",
                        1));
        return name;
    }

    /** Logits from an embedding that {@link #embed} has written as {@code name}; an adapter knows it as {@code head}. */
    void tiedHead(String input, String output, String name, StackedMatrix matrix, String head) {
        projections.add(new Projection(input, output, List.of(head), matrix.rowsOfParts(), matrix.columns(), false));
        if (isFloat(matrix)) {
            graph.op("MatMul", output, List.of(input, name + ".weight"), Map.of());
            read(matrix, (long) matrix.rows() * matrix.columns() * Float.BYTES);
        } else {
            Form form = form(matrix, HEAD_BITS, BLOCK_8_BITS);
            matMul(input, output, name, form);
            read(matrix, form.bytes());
        }
        ofLastToken(matrix);
    }

    /** Logits from a head of its own. */
    void head(String input, String output, StackedMatrix matrix) {
        if (isFloat(matrix)) {
            project(input, output, matrix);
        } else {
            note(input, output, matrix);
            Form form = form(matrix, HEAD_BITS, BLOCK_8_BITS);
            write(output, form);
            matMul(input, output, output, form);
        }
        ofLastToken(matrix);
    }

    /** Of a prompt, only the last token is multiplied with the head. */
    private void ofLastToken(StackedMatrix matrix) {
        stepWeights -= share * matrix.rows() * matrix.columns();
    }

    private boolean isFloat(StackedMatrix matrix) {
        return format == WeightFormat.FLOAT
                || format == WeightFormat.EXACT && matrix.stored(DType.F32, DType.F16, DType.BF16, DType.F64);
    }

    private boolean fits(StackedMatrix matrix, int bits) {
        return matrix.columns() % 32 == 0 && BlockCodes.fit(matrix.types(), bits);
    }

    /**
     * The form a matrix takes: one of codes that 4 bits hold stays at 4 bits where 8 are wanted, unless 8 are asked for.
     *
     * @param block elements of a block where the matrix is rounded to 8 bits and the options leave it open
     */
    private Form form(StackedMatrix matrix, int wanted, int block) {
        int bits = fits(matrix, 4) && format != WeightFormat.BITS_8 ? 4 : wanted;
        if (fits(matrix, bits)) {
            return new Form(matrix, bits, BlockCodes.blockSize(matrix.types()), true);
        }
        int byRole = bits == 4 ? BLOCK_4_BITS : block;
        int blockSize = size == BY_ROLE ? byRole : size;
        return new Form(matrix, bits, blockSize, false);
    }

    /** Writes codes (rows, blocks, bytes) and scales (rows · blocks). */
    private void write(String name, Form form) {
        StackedMatrix matrix = form.matrix();
        String types = String.join(
                " and ", new TreeSet<>(matrix.types().stream().map(Enum::name).toList()));
        count(types + (form.exact() ? " exactly in " : " rounded to ") + form.bits() + " bits", matrix);
        read(matrix, form.bytes());
        if (graph.isMeasuring()) {
            graph.reserve((long) matrix.rows() * form.blocks() * form.codeBytes());
            graph.reserve((long) matrix.rows() * form.blocks() * Float.BYTES);
            return;
        }
        BlockWeights weights = form.exact()
                ? BlockWeights.exact(matrix, form.bits(), form.blockSize())
                : BlockWeights.rounded(matrix, form.bits(), form.blockSize());
        graph.bytes(
                name + ".codes",
                GraphWriter.Type.UINT8,
                ByteBuffer.wrap(weights.codes()),
                matrix.rows(),
                form.blocks(),
                form.codeBytes());
        graph.floats(name + ".scales", weights.scales(), weights.scales().length);
    }

    /**
     * A matrix in blocks.
     *
     * @param exact whether its stored codes go over as they are
     */
    private record Form(StackedMatrix matrix, int bits, int blockSize, boolean exact) {

        /** Blocks a row. */
        int blocks() {
            return (matrix.columns() + blockSize - 1) / blockSize;
        }

        int codeBytes() {
            return blockSize * bits / 8;
        }

        /** Codes and scales. */
        long bytes() {
            return (long) matrix.rows() * blocks() * (codeBytes() + Float.BYTES);
        }
    }

    /** @param name of the initializers that {@link #write} has written */
    private void matMul(String input, String output, String name, Form form) {
        graph.node(
                "MatMulNBits",
                GraphWriter.MICROSOFT,
                List.of(input, name + ".codes", name + ".scales"),
                List.of(output),
                Map.of(
                        "K",
                        form.matrix().columns(),
                        "N",
                        form.matrix().rows(),
                        "bits",
                        form.bits(),
                        "block_size",
                        form.blockSize(),
                        // Activations in int8: without it the kernel is up to 300 times slower, silently.
                        "accuracy_level",
                        4));
    }

    private String transposed(String name, StackedMatrix matrix) {
        int rows = matrix.rows();
        int columns = matrix.columns();
        String types = String.join(
                " and ", new TreeSet<>(matrix.types().stream().map(Enum::name).toList()));
        count(types + " to float", matrix);
        read(matrix, (long) rows * columns * Float.BYTES);
        if (graph.isMeasuring()) {
            graph.reserve((long) rows * columns * Float.BYTES);
            return name;
        }
        float[] weight = new float[Math.multiplyExact(rows, columns)]; // (columns, rows)
        matrix.floats((first, values, type) -> {
            for (int r = 0; r < values.length / columns; r++) {
                for (int c = 0; c < columns; c++) {
                    weight[c * rows + first + r] = values[r * columns + c];
                }
            }
        });
        return graph.floats(name, weight, columns, rows);
    }

    private String stackedBias(String name, StackedMatrix matrix) {
        float[] bias = new float[matrix.rows()];
        int at = 0;
        for (String weight : matrix.names()) {
            String stored = weight.replace(".weight", ".bias");
            if (tensors.tensors().containsKey(stored)) {
                float[] part = tensors.floats(stored);
                System.arraycopy(part, 0, bias, at, part.length);
            }
            at += tensors.info(weight).dim(0);
        }
        return graph.floats(name, bias, bias.length);
    }

    private void count(String what, StackedMatrix matrix) {
        counts.merge(what, matrix.names().size(), Integer::sum);
    }
}
