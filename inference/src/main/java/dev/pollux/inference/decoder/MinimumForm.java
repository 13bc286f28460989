package dev.pollux.inference.decoder;

import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.block.BlockCodes;
import dev.pollux.inference.internal.block.MinimumColumns;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides which matrices keep 4-bit codes with minima. <em>Immutable.</em>
 *
 * <p>All that are stored so do at 4 bits. By default only those of a large model do: its steps wait for memory, and 4 bits are
 * fewer bytes than the 8 bits of the alternative. The steps of a small model are as fast with both, and its prompts faster
 * with 8 bits.
 */
final class MinimumForm {

    /** The number of weights with minima from which on a model is large. */
    static final long LARGE = 1L << 28;

    private final boolean used;

    private MinimumForm(boolean used) {
        this.used = used;
    }

    /** The decision for the matrices of a file. */
    static MinimumForm of(TensorFile tensors, WeightFormat weights) {
        return new MinimumForm(
                switch (weights) {
                    case BITS_4 -> true;
                    case EXACT -> isLarge(tensors);
                    case FLOAT, BITS_8 -> false;
                });
    }

    private static boolean isLarge(TensorFile tensors) {
        return tensors.tensors().values().stream()
                        .filter(tensor -> tensor.shape().size() > 1 && BlockCodes.fitWithMinima(List.of(tensor.type())))
                        .mapToLong(tensor -> tensor.elements())
                        .sum()
                >= LARGE;
    }

    /** Whether the product of {@code x} with a matrix keeps codes and minima. */
    boolean fits(Value x, StackedMatrix matrix) {
        return used
                && BlockMeans.fit(x)
                && matrix.columns() % MinimumColumns.BLOCK == 0
                && BlockCodes.fitWithMinima(matrix.types());
    }

    /** The form; {@link #fits} must hold. */
    static BlockForm of(StackedMatrix matrix) {
        return new BlockForm(matrix, 4, MinimumColumns.BLOCK, BlockForm.Conversion.MINIMA);
    }

    /** The longest runs of parts of which all fit or none does. */
    List<StackedMatrix> runs(Value x, StackedMatrix matrix) {
        List<StackedMatrix> runs = new ArrayList<>();
        List<String> names = new ArrayList<>();
        boolean before = false;
        for (String name : matrix.names()) {
            boolean fits = used && fits(x, stacked(matrix, List.of(name)));
            if (!names.isEmpty() && fits != before) {
                runs.add(stacked(matrix, names));
                names.clear();
            }
            names.add(name);
            before = fits;
        }
        runs.add(stacked(matrix, names));
        return runs;
    }

    private static StackedMatrix stacked(StackedMatrix matrix, List<String> names) {
        return names.equals(matrix.names()) ? matrix : StackedMatrix.of(matrix.tensors(), names, matrix.columns());
    }
}
