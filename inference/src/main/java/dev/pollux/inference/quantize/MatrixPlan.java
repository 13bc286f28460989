package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Weight;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizedLayer;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What a weight becomes. The quantized matrix is (N, K): each of its N rows is divided into blocks along K.
 *
 * @param weight the weight, (K, N) or (N, K)
 * @param uses the nodes that read it, all of one orientation; empty for 16-bit floats
 * @param method how codes are chosen
 * @param format bits, block size and type of the scales
 * @param symmetric whether there are no zero points
 * @param factor the factor of the weights, of {@code Gemm}
 */
record MatrixPlan(
        Weight weight,
        List<MatrixUse> uses,
        QuantizationMethod method,
        BlockFormat format,
        boolean symmetric,
        float factor) {

    MatrixPlan {
        uses = List.copyOf(uses);
    }

    /** A weight of any shape that becomes 16-bit floats. */
    static MatrixPlan half(Weight weight) {
        return new MatrixPlan(weight, List.of(), QuantizationMethod.FLOAT16, new BlockFormat(8, 16, false), true, 1);
    }

    /** Whether the weight is (K, N). */
    boolean byColumns() {
        return uses.get(0).kind().columns();
    }

    /** N. */
    int rows() {
        return Math.toIntExact(weight.shape().size(byColumns() ? 1 : 0));
    }

    /** K. */
    int columns() {
        return Math.toIntExact(weight.shape().size(byColumns() ? 0 : 1));
    }

    /** Blocks of a row. */
    int blocks() {
        return format.blocks(columns());
    }

    /** Whether it is both a table and a factor of a product, which then share its codes. */
    boolean isShared() {
        return isTable() && uses.stream().anyMatch(use -> !use.kind().lookup());
    }

    /** Whether rows are looked up in it. */
    boolean isTable() {
        return uses.stream().anyMatch(use -> use.kind().lookup());
    }

    /** The type of the scales. */
    ElementType scaleType() {
        return format.halfScales() ? ElementType.FLOAT16 : ElementType.FLOAT;
    }

    /** Bytes of a row of codes: of whole blocks for products, else of K codes. */
    int rowBytes() {
        return isTable() && !isShared() ? PackedCodes.bytes(columns(), format.bits()) : blocks() * format.codeBytes();
    }

    /** Bytes of codes, scales and zero points. */
    long bytesAfter() {
        if (method == QuantizationMethod.FLOAT16) {
            return weight.elements() * 2;
        }
        long scales = (long) rows() * blocks() * scaleType().bytes();
        long zeros = symmetric ? 0 : (long) rows() * PackedCodes.bytes(blocks(), format.bits());
        return (long) rows() * rowBytes() + scales + zeros;
    }

    QuantizedLayer layer() {
        boolean half = method == QuantizationMethod.FLOAT16;
        return new QuantizedLayer(
                weight.name(),
                uses.stream()
                        .map(use -> use.kind().lookup() ? "Gather" : use.node().operator())
                        .distinct()
                        .toList(),
                weight.shape().dims().stream().map(dim -> dim.factor()).toList(),
                method,
                half ? 16 : format.bits(),
                half ? 0 : format.blockSize(),
                symmetric,
                weight.bytes(),
                bytesAfter(),
                OptionalDouble.empty());
    }
}
