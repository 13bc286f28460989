package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.internal.math.Float16;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizedLayer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The weights that take the place of one weight: codes, scales and zero points. They are produced together while the codes are
 * written; scales and zero points must be written right after them. <em>Confined to one thread.</em>
 */
final class QuantizedWeight {

    private final MatrixPlan plan;
    private final boolean dequantized;
    private final MatrixCoding coding;
    private final QuantizationRun run;
    private final Resumption resumption;
    private float[] scales = new float[0];
    private byte[] zeros = new byte[0];
    private double relativeError;
    private QuantizationMethod method;

    private QuantizedWeight(MatrixPlan plan, QuantizationRecipe recipe, QuantizationRun run, Resumption resumption) {
        this.plan = plan;
        this.method = plan.method();
        this.run = run;
        this.resumption = resumption;
        this.dequantized = recipe.form() == QuantizationRecipe.Form.QDQ;
        this.coding = new MatrixCoding(plan, recipe, run);
    }

    static QuantizedWeight of(MatrixPlan plan, QuantizationRecipe recipe, QuantizationRun run, Resumption resumption) {
        return new QuantizedWeight(plan, recipe, run, resumption);
    }

    private String name() {
        return plan.weight().name();
    }

    /** A source that copies what an earlier run wrote, if it finished the matrix. */
    private Weight resumed(Weight weight) {
        return new Weight(weight.name(), weight.type(), weight.shape(), sink -> {
            if (!resumption.isFinished(name()) || !resumption.copy(weight, sink)) {
                weight.source().writeTo(sink);
            }
        });
    }

    /** The codes; the first weight of the matrix that is written. */
    private Weight first(Weight codes) {
        return new Weight(codes.name(), codes.type(), codes.shape(), sink -> {
            resumption.begin(name());
            if (resumption.isFinished(name()) && resumption.copy(codes, sink)) {
                relativeError = resumption.relativeError(name());
                method = resumption.method(plan);
                run.progress(plan.weight().bytes());
            } else {
                codes.source().writeTo(sink);
                method = coding.method();
                resumption.computed(plan, method, relativeError);
            }
        });
    }

    /** The layer with the method that chose its codes, and its error, after the codes have been written. */
    QuantizedLayer layer() {
        return plan.layer().measured(method, relativeError);
    }

    /** Codes, scales and, unless the codes are symmetric, zero points. */
    List<Weight> weights() {
        List<Weight> all = new ArrayList<>(List.of(codes(), scales()));
        zeros().ifPresent(all::add);
        return all;
    }

    /** The codes, in the layout of the operator; or 16-bit floats. */
    Weight codes() {
        BlockFormat format = plan.format();
        String name = plan.weight().name();
        if (plan.uses().isEmpty()) {
            return first(new Weight(
                    name + ".float16", ElementType.FLOAT16, plan.weight().shape(), this::writeHalf));
        }
        if (dequantized) {
            Shape shape = Shape.of(plan.columns(), plan.rows());
            return first(new Weight(name + ".codes", codeType(), shape, this::writeDequantized));
        }
        Shape shape = plan.isTable() && !plan.isShared()
                ? Shape.of(plan.rows(), plan.rowBytes())
                : Shape.of(plan.rows(), plan.blocks(), format.codeBytes());
        return first(new Weight(name + ".codes", ElementType.UINT8, shape, this::writeCodes));
    }

    private ElementType codeType() {
        return switch (plan.format().bits()) {
            case 2 -> plan.symmetric() ? ElementType.INT2 : ElementType.UINT2;
            case 4 -> plan.symmetric() ? ElementType.INT4 : ElementType.UINT4;
            default -> plan.symmetric() ? ElementType.INT8 : ElementType.UINT8;
        };
    }

    Weight scales() {
        Shape shape = dequantized ? Shape.of(plan.blocks(), plan.rows()) : Shape.of(plan.rows(), plan.blocks());
        return resumed(new Weight(plan.weight().name() + ".scales", plan.scaleType(), shape, this::writeScales));
    }

    Optional<Weight> zeros() {
        if (plan.symmetric()) {
            return Optional.empty();
        }
        String name = plan.weight().name() + ".zero_points";
        WeightSource source = WeightSource.of(() -> ByteBuffer.wrap(zeros));
        if (dequantized) {
            return Optional.of(resumed(new Weight(name, codeType(), Shape.of(plan.blocks(), plan.rows()), source)));
        }
        int bytes = PackedCodes.bytes(plan.blocks(), plan.format().bits());
        return Optional.of(resumed(new Weight(name, ElementType.UINT8, Shape.of(plan.rows(), bytes), source)));
    }

    private void writeCodes(Consumer<ByteBuffer> sink) {
        int blocks = plan.blocks();
        int zeroBytes = PackedCodes.bytes(blocks, plan.format().bits());
        boolean apart = plan.isTable() && !plan.isShared();
        scales = new float[Math.multiplyExact(plan.rows(), blocks)];
        zeros = new byte[plan.symmetric() ? 0 : Math.multiplyExact(plan.rows(), zeroBytes)];
        relativeError = coding.run((first, rows) -> {
            sink.accept(ByteBuffer.wrap(apart ? rows.packedRows() : rows.packedBlocks()));
            System.arraycopy(rows.scales, 0, scales, first * blocks, rows.scales.length);
            if (!plan.symmetric()) {
                byte[] packed = rows.packedZeros();
                System.arraycopy(packed, 0, zeros, first * zeroBytes, packed.length);
            }
        });
    }

    private void writeDequantized(Consumer<ByteBuffer> sink) {
        DequantizedForm form = new DequantizedForm(plan.columns(), plan.rows(), plan.format(), plan.symmetric());
        relativeError = coding.run(form::put);
        scales = form.scales();
        zeros = form.zeros();
        sink.accept(ByteBuffer.wrap(form.codes()));
    }

    private void writeHalf(Consumer<ByteBuffer> sink) {
        relativeError = coding.half(sink);
    }

    private void writeScales(Consumer<ByteBuffer> sink) {
        int width = plan.scaleType().bytes();
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(scales.length, width)).order(ByteOrder.LITTLE_ENDIAN);
        for (float scale : scales) {
            if (width == Float.BYTES) {
                bytes.putFloat(scale);
            } else {
                bytes.putShort(Float16.fromFloat(scale));
            }
        }
        scales = new float[0];
        sink.accept(bytes.flip());
    }
}
