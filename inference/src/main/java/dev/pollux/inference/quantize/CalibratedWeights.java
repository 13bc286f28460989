package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.Weight;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Matrices whose codes are chosen on calibration texts. Who opens it closes it. <em>Confined to one thread.</em> */
interface CalibratedWeights extends AutoCloseable {

    /** No matrix. */
    CalibratedWeights NONE = plan -> Optional.empty();

    /**
     * The codes of a matrix, which are not kept; empty for a matrix that is quantized without texts. The first call for a
     * matrix of a layer quantizes all layers up to that one.
     */
    Optional<CodedMatrix> take(MatrixPlan plan);

    /**
     * Vectors of the graph that change with the codes of matrices, by the matrix after which they are written; they have the
     * names of the originals.
     */
    default Map<MatrixPlan, List<Weight>> vectors() {
        return Map.of();
    }

    /** What the caller should know, after all weights were taken. */
    default List<String> notices() {
        return List.of();
    }

    @Override
    default void close() {}
}
