package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.graph.WeightSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.LongConsumer;

/**
 * A weight of 32-bit floats as 8-bit codes, with one scale for the whole or one for each index of an axis. Scales are computed
 * when they are first needed, codes are produced when they are written. <em>Confined to one thread.</em>
 */
final class IntegerWeight {

    /*
     * The weight is read twice in pieces of bounded size: once for the extremes of each channel, once for the codes. The channel of the
     * value at index i is (i / inner) mod channels, where inner is the product of the sizes after the axis. A transposed weight is the
     * exception: its codes are held in memory while they are written.
     */

    private final Weight weight;
    private final IntegerFormat format;
    private final OptionalInt axis;
    private final long inner;
    private final int channels;
    private LinearScale[] grids; // (channels), or empty until it is computed
    private LongConsumer listener = bytes -> {};
    private CodeJournal journal = CodeJournal.NONE;
    private String codes = ""; // the name under which they are written
    private OptionalDouble error = OptionalDouble.empty(); // known when the codes have been written

    private IntegerWeight(Weight weight, IntegerFormat format, OptionalInt axis, LinearScale[] grids) {
        this.weight = weight;
        this.format = format;
        this.axis = axis;
        this.inner = inner(weight, axis);
        this.channels = axis.isPresent()
                ? Math.toIntExact(weight.shape().dim(axis.getAsInt()).factor())
                : 1;
        this.grids = grids;
    }

    /**
     * A quantized weight; it is not read yet. Reading fails with {@link dev.pollux.MalformedFileException} if a value is NaN or
     * infinite.
     *
     * @param weight of type {@link dev.pollux.inference.graph.ElementType#FLOAT}
     * @param axis the axis of the channels; empty for one scale
     */
    static IntegerWeight of(Weight weight, IntegerFormat format, OptionalInt axis) {
        return new IntegerWeight(weight, format, axis, new LinearScale[0]);
    }

    /** Passes the number of bytes to {@code consumer} whenever some have become codes. */
    void onCoded(LongConsumer consumer) {
        listener = consumer;
    }

    /** Takes what {@code earlier} has, and records what is written. */
    void resume(CodeJournal earlier) {
        journal = earlier;
    }

    private LinearScale[] grids() {
        if (grids.length == 0) {
            grids = computed();
        }
        return grids;
    }

    private LinearScale[] computed() {
        float[] low = new float[channels];
        float[] high = new float[channels];
        Arrays.fill(low, Float.POSITIVE_INFINITY);
        Arrays.fill(high, Float.NEGATIVE_INFINITY);
        FloatPieces.read(weight, (first, values) -> {
            for (int i = 0; i < values.length; i++) {
                int channel = (int) ((first + i) / inner % channels);
                low[channel] = Math.min(low[channel], values[i]);
                high[channel] = Math.max(high[channel], values[i]);
            }
        });
        LinearScale[] computed = new LinearScale[channels];
        for (int i = 0; i < channels; i++) {
            computed[i] = low[i] > high[i] ? LinearScale.UNIT : format.fit(low[i], high[i]);
        }
        return computed;
    }

    private static long inner(Weight weight, OptionalInt axis) {
        if (axis.isEmpty()) {
            return 1;
        }
        long inner = 1;
        for (int i = axis.getAsInt() + 1; i < weight.shape().rank(); i++) {
            inner *= weight.shape().dim(i).factor();
        }
        return inner;
    }

    /** The same codes with one scale made larger, so that the product of it and another scale is not too small. */
    IntegerWeight withScale(int channel, float scale) {
        LinearScale[] changed = grids().clone();
        changed[channel] = new LinearScale(scale, changed[channel].zero());
        return new IntegerWeight(weight, format, axis, changed);
    }

    Weight weight() {
        return weight;
    }

    IntegerFormat format() {
        return format;
    }

    OptionalInt axis() {
        return axis;
    }

    /** (channels), or one. */
    float[] scales() {
        float[] all = new float[channels];
        for (int i = 0; i < all.length; i++) {
            all[i] = grids()[i].scale();
        }
        return all;
    }

    /** (channels), or one. */
    int[] zeros() {
        return Arrays.stream(grids()).mapToInt(LinearScale::zero).toArray();
    }

    /** The scales as a weight: a scalar, or (channels). */
    Weight scaleWeight(String name) {
        return resumed(Constants.floats(name, this::scales, channels, axis.isPresent()));
    }

    /** The zero points as a weight of the codes' type: a scalar, or (channels). */
    Weight zeroWeight(String name) {
        return resumed(Constants.bytes(name, format.type().element(), this::zeros, channels, axis.isPresent()));
    }

    /** A weight that is copied if an earlier run wrote it. */
    private Weight resumed(Weight made) {
        return new Weight(made.name(), made.type(), made.shape(), sink -> {
            if (!journal.isFinished(codes) || !journal.copy(made, sink)) {
                made.source().writeTo(sink);
            }
        });
    }

    /** The codes, in the shape of the weight. */
    Weight codeWeight(String name) {
        return coded(
                name,
                weight.shape(),
                sink -> read((first, values) -> {
                    ByteBuffer bytes = ByteBuffer.allocate(values.length).order(ByteOrder.LITTLE_ENDIAN);
                    for (int i = 0; i < values.length; i++) {
                        bytes.put((byte) scale(first + i).code(values[i], format));
                    }
                    sink.accept(bytes.flip());
                }));
    }

    /** The codes of a matrix (rows, columns) as (columns, rows). */
    Weight transposedCodeWeight(String name) {
        int rows = Math.toIntExact(weight.shape().dim(0).factor());
        int columns = Math.toIntExact(weight.shape().dim(1).factor());
        return coded(name, Shape.of(columns, rows), sink -> {
            byte[] turned = new byte[Math.multiplyExact(rows, columns)]; // (columns, rows)
            read((first, values) -> {
                for (int i = 0; i < values.length; i++) {
                    long at = first + i;
                    turned[(int) (at % columns) * rows + (int) (at / columns)] =
                            (byte) scale(at).code(values[i], format);
                }
            });
            sink.accept(ByteBuffer.wrap(turned).order(ByteOrder.LITTLE_ENDIAN));
        });
    }

    private Weight coded(String name, Shape shape, WeightSource source) {
        codes = name;
        Weight made = new Weight(name, format.type().element(), shape, source);
        return new Weight(name, made.type(), shape, sink -> {
            journal.begin(name);
            if (journal.isFinished(name) && journal.copy(made, sink)) {
                error = OptionalDouble.of(journal.relativeError(name));
                listener.accept(weight.bytes());
            } else {
                source.writeTo(sink);
                journal.computed(name, bytes(), error.orElse(0));
            }
        });
    }

    /** Reads the values for coding, and finds the error on the way. */
    private void read(FloatPieces.Sink sink) {
        ErrorSums sums = new ErrorSums();
        FloatPieces.read(weight, (first, values) -> {
            sink.accept(first, values);
            sums.accept(first, values);
            listener.accept((long) values.length * Float.BYTES);
        });
        error = OptionalDouble.of(sums.relative());
    }

    private LinearScale scale(long index) {
        return grids()[(int) (index / inner % channels)];
    }

    /** ‖W − Ŵ‖ / ‖W‖; 0 for a weight of zeros. Reads the weight unless its codes have been written. */
    double relativeError() {
        if (error.isEmpty()) {
            ErrorSums sums = new ErrorSums();
            FloatPieces.read(weight, sums);
            error = OptionalDouble.of(sums.relative());
        }
        return error.getAsDouble();
    }

    private final class ErrorSums implements FloatPieces.Sink {

        private double error;
        private double norm;

        @Override
        public void accept(long first, float[] values) {
            for (int i = 0; i < values.length; i++) {
                LinearScale scale = scale(first + i);
                double difference = (double) scale.value(scale.code(values[i], format)) - values[i];
                error += difference * difference;
                norm += (double) values[i] * values[i];
            }
        }

        double relative() {
            return norm == 0 ? 0 : Math.sqrt(error / norm);
        }
    }

    /** Bytes of codes, scales and zero points. */
    long bytes() {
        return weight.elements() + channels * (long) (Float.BYTES + 1);
    }
}
