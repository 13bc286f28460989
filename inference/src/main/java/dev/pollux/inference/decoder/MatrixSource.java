package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.MatrixValues;
import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.internal.block.BlockWeights;
import dev.pollux.tensor.StackedMatrix;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Produces the bytes of a stored matrix in the graph's format. <em>Confined to one thread.</em> */
final class MatrixSource implements WeightSource {

    private final StackedMatrix matrix;
    private final String form;
    private final WeightSource bytes;
    private final boolean floats;

    private MatrixSource(StackedMatrix matrix, String form, WeightSource bytes, boolean floats) {
        this.floats = floats;
        this.matrix = matrix;
        this.form = form;
        this.bytes = bytes;
    }

    /** 32-bit floats, (columns, rows). */
    static MatrixSource floats(StackedMatrix matrix) {
        return new MatrixSource(matrix, types(matrix) + " to float", WeightSource.floats(matrix::transposed), true);
    }

    /** The codes of blocks, (rows, blocks, bytes of a block). */
    static MatrixSource codes(Blocked blocked) {
        BlockForm form = blocked.form;
        String bits = form.bits() + " bits";
        String how = switch (form.conversion()) {
            case EXACT -> " exactly in " + bits;
            case MINIMA -> " in " + bits + " with minima";
            case ROUNDED -> " rounded to " + bits;
        };
        return new MatrixSource(
                form.matrix(),
                types(form.matrix()) + how,
                WeightSource.of(() -> ByteBuffer.wrap(blocked.make().codes())),
                false);
    }

    /** The scales of blocks, (rows · blocks). */
    static WeightSource scales(Blocked blocked) {
        return WeightSource.floats(blocked::scales);
    }

    /** Codes and scales of one matrix. They are computed together; the scales must be read right after the codes. */
    static final class Blocked {

        private final BlockForm form;
        private @Nullable BlockWeights made;

        Blocked(BlockForm form) {
            this.form = form;
        }

        private BlockWeights make() {
            BlockWeights weights = switch (form.conversion()) {
                case EXACT -> BlockWeights.exact(form.matrix(), form.bits(), form.blockSize());
                case MINIMA -> BlockWeights.withMinima(form.matrix());
                case ROUNDED -> BlockWeights.rounded(form.matrix(), form.bits(), form.blockSize());
            };
            made = weights;
            return weights;
        }

        private float[] scales() {
            BlockWeights weights = made == null ? make() : made;
            made = null;
            return weights.scales();
        }
    }

    private static String types(StackedMatrix matrix) {
        return String.join(
                " and ", new TreeSet<>(matrix.types().stream().map(Enum::name).toList()));
    }

    /** The number of stored matrices in it. */
    int matrices() {
        return matrix.names().size();
    }

    /** Describes the conversion from stored types to the form. */
    String form() {
        return form;
    }

    @Override
    public Optional<MatrixValues> values() {
        return floats ? Optional.of(new TransposedValues(matrix)) : Optional.empty();
    }

    /** The floats (columns, rows) of a matrix; a column of them is a row of the matrix. */
    private record TransposedValues(StackedMatrix matrix) implements MatrixValues {

        @Override
        public void rows(int first, int count, float[] into) {
            float[] all = matrix.transposed();
            System.arraycopy(all, first * matrix.rows(), into, 0, count * matrix.rows());
        }

        @Override
        public void columns(int first, int count, float[] into) {
            matrix.rows(first, count, into);
        }
    }

    @Override
    public void writeTo(Consumer<ByteBuffer> sink) {
        bytes.writeTo(sink);
    }
}
