package dev.pollux.finetune.internal.training;

import dev.pollux.finetune.internal.training.ModelGraphs.Backward;
import dev.pollux.finetune.internal.training.ModelGraphs.Segment;
import dev.pollux.finetune.internal.training.Programs.Program;
import dev.pollux.finetune.internal.training.TrainingLowering.AttentionCall;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** The programs of one layer. <em>Confined to one thread.</em> */
final class LayerPrograms {

    private final String stream;
    private final List<Part> parts = new ArrayList<>();
    private final List<Weight> weights = new ArrayList<>();
    private final Map<String, Integer> masks = new LinkedHashMap<>();
    private final boolean trained;

    /**
     * A segment with its programs.
     *
     * @param backward null if the segment gets no gradients
     * @param keeping the programs if results of products are kept; empty if that saves nothing
     */
    record Part(
            Program forward,
            List<Value> results,
            Optional<AttentionCall> call,
            @Nullable Program backward,
            Map<String, Value> gradients,
            Optional<Keeping> keeping) {}

    /**
     * Programs that pass values on.
     *
     * @param forward also gives {@code values}
     * @param backward also reads them
     */
    record Keeping(List<Value> values, Program forward, Program backward) {}

    /**
     * Prepares a layer.
     *
     * @param below whether layers below it, or its own stream, need gradients
     * @param keeps whether results of products may be kept
     */
    LayerPrograms(ModelGraphs graphs, int layer, boolean below, boolean keeps, Programs programs) {
        this.stream = graphs.stream(layer).name();
        List<Segment> segments = graphs.segments(layer);
        this.trained =
                segments.stream().anyMatch(one -> !graphs.trained(one.forward()).isEmpty());
        Set<String> read = new LinkedHashSet<>();
        for (Segment segment : segments) {
            Program backward = null;
            Map<String, Value> gradients = Map.of();
            Optional<Keeping> keeping = Optional.empty();
            if (below || trained) {
                Backward found = graphs.backward(layer, segment, below, List.of());
                gradients = found.of();
                backward = gradients.isEmpty() ? null : programs.of(found.graph());
                if (keeps && !gradients.isEmpty()) {
                    keeping = keeping(graphs, layer, segment, below, programs);
                }
            }
            parts.add(new Part(
                    programs.of(segment.forward()), segment.results(), segment.call(), backward, gradients, keeping));
            masks.putAll(graphs.masks(segment.forward()));
            for (Weight weight : graphs.weights(segment.forward())) {
                if (read.add(weight.name())) {
                    weights.add(weight);
                }
            }
        }
    }

    private static Optional<Keeping> keeping(
            ModelGraphs graphs, int layer, Segment segment, boolean below, Programs programs) {
        Backward found = graphs.backward(layer, segment, below, graphs.sums(segment));
        if (found.kept().isEmpty()) {
            return Optional.empty();
        }
        Program forward = programs.of(graphs.forward(layer, segment, found.kept()));
        return Optional.of(new Keeping(found.kept(), forward, programs.of(found.graph())));
    }

    /** Bytes of the values that its segments keep of {@code tokens} tokens. */
    long keptBytes(int tokens) {
        long floats = 0;
        for (Part part : parts) {
            for (Value value : part.keeping().map(Keeping::values).orElse(List.of())) {
                floats += LongStream.of(sizes(value.shape(), tokens)).reduce(1, (a, b) -> a * b);
            }
        }
        return floats * Float.BYTES;
    }

    /** The name of the stream before the layer. */
    String stream() {
        return stream;
    }

    List<Part> parts() {
        return parts;
    }

    /** The weights of the layer. */
    List<Weight> weights() {
        return weights;
    }

    /** Its inputs of dropout, with their columns. */
    Map<String, Integer> masks() {
        return masks;
    }

    /** Whether it has trained inputs. */
    boolean isTrained() {
        return trained;
    }

    /** Tensors for values of {@code tokens} tokens, by name. */
    static Map<String, FloatTensor> take(Memory memory, Map<String, Value> values, int tokens) {
        Map<String, FloatTensor> taken = new LinkedHashMap<>();
        values.forEach((name, value) -> taken.put(name, memory.take(sizes(value.shape(), tokens))));
        return taken;
    }

    /** The sizes of a shape in which each name is the number of tokens. */
    static long[] sizes(Shape shape, int tokens) {
        return shape.dims().stream()
                .mapToLong(dim ->
                        dim.factor() * (long) Math.pow(tokens, dim.symbols().size()))
                .toArray();
    }
}
