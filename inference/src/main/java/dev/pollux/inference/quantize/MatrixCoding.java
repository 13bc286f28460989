package dev.pollux.inference.quantize;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.MatrixValues;
import dev.pollux.inference.graph.Weight;
import dev.pollux.internal.math.Float16;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Quantizes one matrix, some rows at a time, on several threads. <em>Confined to one thread.</em> */
final class MatrixCoding {

    /*
     * Rows of the quantized matrix are independent, so a window of rows is one task: it reads, checks, codes and packs. At most
     * threads + 1 windows are held at once, and their size is such that floats, codes and packed bytes of all fit the memory. The
     * calling thread takes finished windows in order. Sums over windows are added in that order. So neither threads nor memory
     * change a byte: a window is a whole number of panels, and nothing is shared between panels.
     */

    /** Rows of a window are a multiple of the most lanes of a panel. */
    private static final int ROWS = 64;

    private static final long MOST_WINDOW = 8L << 20;

    /** Bytes per weight while a window is worked on: floats, codes, packed bytes, and the reader's copy. */
    private static final int BYTES_PER_WEIGHT = 12;

    private final MatrixPlan plan;
    private final QuantizationRecipe recipe;
    private final QuantizationRun run;
    private QuantizationMethod method;

    MatrixCoding(MatrixPlan plan, QuantizationRecipe recipe, QuantizationRun run) {
        this.plan = plan;
        this.recipe = recipe;
        this.run = run;
        this.method = plan.method();
    }

    /** Receives coded rows in order. */
    @FunctionalInterface
    interface RowSink {
        void accept(int firstRow, CodedRows rows);
    }

    /**
     * Quantizes the matrix.
     *
     * @return ‖W − Ŵ‖ / ‖W‖
     * @throws MalformedFileException if a weight is not finite
     */
    double run(RowSink sink) {
        Optional<CodedMatrix> calibrated = run.calibrated().take(plan);
        if (calibrated.isPresent()) {
            return passed(calibrated.get(), sink);
        }
        if (method.runsLayerByLayer()) {
            method = plan.symmetric() ? QuantizationMethod.LEAST_SQUARES : QuantizationMethod.SEARCH;
        }
        return rounded(sink);
    }

    private double passed(CodedMatrix made, RowSink sink) {
        method = made.method();
        double[] sums = new double[2];
        int first = 0;
        for (CodedRows rows : made.parts()) {
            sums[0] += rows.squaredError();
            sums[1] += rows.squaredNorm();
            sink.accept(first, rows);
            first += rows.rows;
        }
        run.progress(plan.weight().bytes());
        return sums[1] == 0 ? 0 : Math.sqrt(sums[0] / sums[1]);
    }

    /** Chooses the codes of rows. */
    @FunctionalInterface
    interface RowCoder {
        /**
         * The codes of rows.
         *
         * @param values (rows, K)
         */
        CodedRows code(float[] values);
    }

    /**
     * Codes the matrix in memory.
     *
     * @param coder is called by several threads at once
     * @throws MalformedFileException if a weight is not finite
     */
    CodedMatrix coded(QuantizationMethod chosen, RowCoder coder) {
        MatrixValues values = values();
        List<CodedRows> parts = new ArrayList<>();
        inOrder(ROWS, (first, count) -> coder.code(read(values, first, count)), (first, rows) -> parts.add(rows));
        return new CodedMatrix(chosen, parts);
    }

    /**
     * The sum of a measure over all rows.
     *
     * @param measure of (rows, K); is called by several threads at once
     * @throws MalformedFileException if a weight is not finite
     */
    double sum(ToDoubleFunction<float[]> measure) {
        MatrixValues values = values();
        double[] sum = new double[1];
        inOrder(
                ROWS,
                (first, count) -> measure.applyAsDouble(read(values, first, count)),
                (first, some) -> sum[0] += some);
        return sum[0];
    }

    /**
     * Rows at equal distances.
     *
     * @param mostRows how many, in groups of the most lanes of a panel; at least one group
     * @return groups of (rows, K)
     */
    List<float[]> sampled(int mostRows) {
        MatrixValues values = values();
        int groups = Math.max(1, Math.min(mostRows, plan.rows()) / ROWS);
        return IntStream.range(0, groups)
                .mapToObj(i -> {
                    int first = (int) ((long) i * plan.rows() / groups);
                    return read(values, first, Math.min(ROWS, plan.rows() - first));
                })
                .toList();
    }

    private MatrixValues values() {
        return plan.weight().source().values().orElseGet(() -> held(plan.weight()));
    }

    /** How the codes were chosen; of the plan until they are. */
    QuantizationMethod method() {
        return method;
    }

    private double rounded(RowSink sink) {
        MatrixValues values = values();
        BlockMethod blocks = blocks(values);
        double[] sums = new double[2];
        inOrder(windowRows(), (first, count) -> coded(values, first, count, blocks), (first, rows) -> {
            sums[0] += rows.squaredError();
            sums[1] += rows.squaredNorm();
            sink.accept(first, rows);
            run.progress((long) rows.rows * rows.columns * plan.weight().type().bytes());
        });
        return sums[1] == 0 ? 0 : Math.sqrt(sums[0] / sums[1]);
    }

    /**
     * The relative error of the matrix, estimated from rows at equal distances.
     *
     * @param mostRows rows that are coded, at least one panel
     * @return ‖W − Ŵ‖² / ‖W‖² of these rows; 0 if they are zeros
     */
    double sampledSquaredError(int mostRows) {
        BlockMethod blocks = blocks(values());
        double error = 0;
        double norm = 0;
        for (float[] some : sampled(mostRows)) {
            CodedRows rows = CodedRows.of(some, plan.columns(), plan.format(), blocks);
            error += rows.squaredError();
            norm += rows.squaredNorm();
        }
        return norm == 0 ? 0 : error / norm;
    }

    private BlockMethod blocks(MatrixValues values) {
        return switch (method) {
            case ROUND_TO_NEAREST ->
                recipe.likeOnnxRuntime()
                        ? new OnnxRuntimeRounding(plan.symmetric(), target())
                        : new RoundToNearest(plan.symmetric());
            case SEARCH, LEAST_SQUARES, GPTQ, AWQ -> search(plan); // where there are no texts
            case K_QUANT -> new KQuant();
            case HQQ -> halfQuadratic(values);
            case FLOAT16, INT8, INT8_STATIC ->
                throw new IllegalStateException(plan.method().text() + " has no blocks");
        };
    }

    /** The search with or without zero points. */
    static BlockMethod search(MatrixPlan plan) {
        return plan.symmetric() ? new SymmetricLeastSquares() : new JointSearch(true);
    }

    private OnnxRuntimeRounding.Target target() {
        if (recipe.form() == QuantizationRecipe.Form.QDQ) {
            return OnnxRuntimeRounding.Target.QDQ;
        }
        return plan.isTable() && !plan.isShared()
                ? OnnxRuntimeRounding.Target.GATHER
                : OnnxRuntimeRounding.Target.MATMUL;
    }

    private BlockMethod halfQuadratic(MatrixValues values) {
        List<double[]> sums = new ArrayList<>();
        inOrder(
                windowRows(),
                (first, count) -> HalfQuadratic.errors(read(values, first, count), plan.columns(), plan.format(), true),
                (first, errors) -> {
                    if (sums.isEmpty()) {
                        sums.add(errors);
                    } else {
                        double[] sum = sums.get(0);
                        for (int i = 0; i < sum.length; i++) {
                            sum[i] += errors[i];
                        }
                    }
                });
        return HalfQuadratic.of(sums.isEmpty() ? 0 : HalfQuadratic.iterations(sums.get(0)), true);
    }

    @FunctionalInterface
    private interface Task<T> {
        T window(int first, int count);
    }

    @FunctionalInterface
    private interface Taker<T> {
        void take(int first, T made);
    }

    private record Window<T>(int first, Future<T> made) {}

    private <T> void inOrder(int step, Task<T> task, Taker<T> taker) {
        Deque<Window<T>> open = new ArrayDeque<>();
        int next = 0;
        while (next < plan.rows() || !open.isEmpty()) {
            while (next < plan.rows() && open.size() <= run.threads()) {
                int first = next;
                int count = Math.min(step, plan.rows() - first);
                open.add(new Window<>(first, run.workers().submit(() -> task.window(first, count))));
                next += count;
            }
            Window<T> window = open.remove();
            taker.take(window.first(), run.workers().await(window.made(), () -> {}));
            run.context().checkCancelled();
        }
    }

    private int windowRows() {
        long each = Math.min(MOST_WINDOW, run.memory() / BYTES_PER_WEIGHT / (run.threads() + 2L));
        long rows = each / Math.max(1, plan.columns()) / ROWS * ROWS;
        return (int) Math.max(ROWS, Math.min(rows, 1 << 20));
    }

    private CodedRows coded(MatrixValues values, int first, int count, BlockMethod blocks) {
        if (plan.byColumns()) {
            float[] band = new float[Math.multiplyExact(count, plan.columns())]; // (K, count)
            if (values.band(first, count, band)) {
                multiply(band);
                CodedRows coded = CodedRows.ofBand(band, plan.columns(), plan.format(), blocks);
                if (!Double.isFinite(coded.squaredNorm())) {
                    check(band, i -> first + i % count, i -> i / count);
                }
                return coded;
            }
        }
        return CodedRows.of(read(values, first, count), plan.columns(), plan.format(), blocks);
    }

    /** (count, K), checked. */
    private float[] read(MatrixValues values, int first, int count) {
        float[] read = new float[Math.multiplyExact(count, plan.columns())];
        if (plan.byColumns()) {
            values.columns(first, count, read);
        } else {
            values.rows(first, count, read);
        }
        check(read, i -> first + i / plan.columns(), i -> i % plan.columns());
        multiply(read);
        return read;
    }

    private void check(float[] values, IntUnaryOperator row, IntUnaryOperator column) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                int r = row.applyAsInt(i);
                int c = column.applyAsInt(i);
                throw new MalformedFileException(plan.weight().name() + " must be finite but holds " + values[i]
                        + " at [" + (plan.byColumns() ? c + ", " + r : r + ", " + c)
                        + "]; repair the model, or keep this weight in float with a rule");
            }
        }
    }

    private void multiply(float[] values) {
        if (plan.factor() != 1) {
            for (int i = 0; i < values.length; i++) {
                values[i] *= plan.factor();
            }
        }
    }

    /** The values of a weight that can only be produced as a whole. */
    private static MatrixValues held(Weight weight) {
        int columns = Math.toIntExact(weight.shape().size(1));
        int rows = Math.toIntExact(weight.shape().size(0));
        float[] all = new float[Math.multiplyExact(rows, columns)];
        int[] at = new int[1];
        weight.source().writeTo(bytes -> {
            ByteBuffer piece = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            while (piece.hasRemaining()) {
                all[at[0]++] =
                        weight.type() == ElementType.FLOAT16 ? Float16.toFloat(piece.getShort()) : piece.getFloat();
            }
        });
        return new MatrixValues() {
            @Override
            public void rows(int first, int count, float[] into) {
                System.arraycopy(all, first * columns, into, 0, count * columns);
            }

            @Override
            public void columns(int first, int count, float[] into) {
                for (int c = 0; c < count; c++) {
                    for (int r = 0; r < rows; r++) {
                        into[c * rows + r] = all[r * columns + first + c];
                    }
                }
            }
        };
    }

    /**
     * Writes the weight as 16-bit floats.
     *
     * @return ‖W − Ŵ‖ / ‖W‖
     * @throws MalformedFileException if a weight is not finite or beyond the range of 16-bit floats
     */
    double half(Consumer<ByteBuffer> sink) {
        double[] sums = new double[2];
        plan.weight().source().writeTo(bytes -> {
            run.context().checkCancelled();
            ByteBuffer piece = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            run.progress(piece.remaining());
            ByteBuffer made = ByteBuffer.allocate(piece.remaining() / 2).order(ByteOrder.LITTLE_ENDIAN);
            while (piece.hasRemaining()) {
                float value = piece.getFloat();
                short half = Float16.fromFloat(value);
                double back = Float16.toFloat(half);
                if (!Double.isFinite(back)) {
                    throw new MalformedFileException(plan.weight().name() + " must be in [-65504, 65504] but holds "
                            + value + "; keep this weight in float with a rule");
                }
                made.putShort(half);
                sums[0] += (value - back) * (value - back);
                sums[1] += (double) value * value;
            }
            sink.accept(made.flip());
        });
        return sums[1] == 0 ? 0 : Math.sqrt(sums[0] / sums[1]);
    }
}
