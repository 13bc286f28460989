package dev.pollux.inference.quantize;

import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.quantize.ScaleFold.Vector;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The scales of inputs that weights of a graph have absorbed. <em>Confined to one thread.</em> */
final class FoldedScales {

    private record Divided(int first, double[] by) {}

    private final Graph graph;
    private final ScaleFolds folds;
    private final Map<String, Divided> divided = new HashMap<>(); // by vector
    private final Map<MatrixPlan, List<Weight>> vectors = new LinkedHashMap<>();

    /**
     * Finds the vectors that may absorb scales.
     *
     * @param matrices have inputs with scales
     * @param ready is given a matrix, and returns when the scales of its layer are known
     */
    FoldedScales(GraphPlan plan, List<MatrixPlan> matrices, Consumer<MatrixPlan> ready) {
        this.graph = plan.graph();
        this.folds = new ScaleFolds(plan);
        Map<String, List<MatrixPlan>> byInput = new LinkedHashMap<>();
        matrices.forEach(one -> one.uses()
                .forEach(use -> byInput.computeIfAbsent(use.node().input(0), key -> new ArrayList<>())
                        .add(one)));
        byInput.values().forEach(group -> {
            Set<MatrixPlan> distinct = new LinkedHashSet<>(group);
            folds.of(List.copyOf(distinct))
                    .ifPresent(fold -> vectors.computeIfAbsent(group.get(0), key -> new ArrayList<>())
                            .addAll(weights(fold, group.get(0), ready)));
        });
    }

    private List<Weight> weights(ScaleFold fold, MatrixPlan after, Consumer<MatrixPlan> ready) {
        return fold.vectors().stream()
                .map(vector -> graph.weight(vector.name()).orElseThrow())
                .map(weight -> new Weight(weight.name(), weight.type(), weight.shape(), sink -> {
                    ready.accept(after);
                    weight.source().writeTo(new Division(weight, sink)::take);
                }))
                .toList();
    }

    /** Divides a stream of 32-bit floats. */
    private final class Division {

        private final Divided division;
        private final Consumer<ByteBuffer> sink;
        private int at;

        Division(Weight weight, Consumer<ByteBuffer> sink) {
            this.division = divided.getOrDefault(weight.name(), new Divided(0, new double[0]));
            this.sink = sink;
        }

        void take(ByteBuffer bytes) {
            ByteBuffer piece = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer made = ByteBuffer.allocate(piece.remaining()).order(ByteOrder.LITTLE_ENDIAN);
            while (piece.hasRemaining()) {
                int i = at++ - division.first();
                boolean scaled = i >= 0 && i < division.by().length;
                float value = piece.getFloat();
                made.putFloat(scaled ? (float) (value / division.by()[i]) : value);
            }
            sink.accept(made.flip());
        }
    }

    /** See {@link CalibratedWeights#vectors}. */
    Map<MatrixPlan, List<Weight>> vectors() {
        return vectors;
    }

    /** See {@link ScaleFolds#of}. */
    Optional<ScaleFold> fold(List<MatrixPlan> matrices) {
        return folds.of(matrices);
    }

    /**
     * Absorbs scales.
     *
     * @param scales σ, (K)
     * @param coded the matrices that were coded before
     */
    void absorb(ScaleFold fold, double[] scales, Map<MatrixPlan, CodedMatrix> coded) {
        double[] by = new double[Arrays.stream(fold.source()).max().orElse(-1) + 1];
        for (int j = 0; j < scales.length; j++) {
            by[fold.source()[j]] = scales[j];
        }
        for (Vector vector : fold.vectors()) {
            divided.put(vector.name(), new Divided(vector.first(), by));
        }
        for (ScaleFold.Rows rows : fold.rows()) {
            CodedMatrix matrix = coded.get(rows.plan());
            if (matrix != null) {
                matrix.divideRows(rows.first(), by);
            }
        }
    }
}
