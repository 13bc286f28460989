package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.WeightSource;
import dev.pollux.inference.internal.block.BlockWeights;
import dev.pollux.tensor.StackedMatrix;
import java.nio.ByteBuffer;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Produces the bytes of a stored matrix in the graph's format. <em>Confined to one thread.</em> */
final class MatrixSource implements WeightSource {

    private final StackedMatrix matrix;
    private final String form;
    private final WeightSource bytes;

    private MatrixSource(StackedMatrix matrix, String form, WeightSource bytes) {
        this.matrix = matrix;
        this.form = form;
        this.bytes = bytes;
    }

    /** 32-bit floats, (columns, rows). */
    static MatrixSource floats(StackedMatrix matrix) {
        return new MatrixSource(matrix, types(matrix) + " to float", WeightSource.floats(matrix::transposed));
    }

    /** The codes of blocks, (rows, blocks, bytes of a block). */
    static MatrixSource codes(Blocked blocked) {
        BlockForm form = blocked.form;
        String how = (form.exact() ? " exactly in " : " rounded to ") + form.bits() + " bits";
        return new MatrixSource(
                form.matrix(),
                types(form.matrix()) + how,
                WeightSource.of(() -> ByteBuffer.wrap(blocked.make().codes())));
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
            BlockWeights weights = form.exact()
                    ? BlockWeights.exact(form.matrix(), form.bits(), form.blockSize())
                    : BlockWeights.rounded(form.matrix(), form.bits(), form.blockSize());
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
    public void writeTo(Consumer<ByteBuffer> sink) {
        bytes.writeTo(sink);
    }
}
