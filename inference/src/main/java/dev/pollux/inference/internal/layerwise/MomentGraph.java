package dev.pollux.inference.internal.layerwise;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The part of a graph that computes {@link InputMoments} of some inputs. <em>Confined to one thread.</em> */
final class MomentGraph {

    private static final String GRAM = ".gram";
    private static final String MAGNITUDES = ".magnitudes";
    private static final String ROWS = ".rows";

    private final Graph graph;
    private final Map<LinearInput, InputMoments> sums = new LinkedHashMap<>();

    /**
     * Adds the sums to a part.
     *
     * @param part computes the inputs, or has them as its own inputs
     */
    MomentGraph(Graph part, List<LinearInput> inputs) {
        GraphBuilder to = GraphBuilder.from(part).withoutOutputs();
        Map<Integer, Value> shapes = new HashMap<>();
        Set<String> known = new HashSet<>();
        part.inputs().forEach(value -> known.add(value.name()));
        part.outputs().forEach(value -> known.add(value.name()));
        Value axis = to.integers("moments.axis", 0);
        for (LinearInput input : inputs) {
            String name = input.value();
            int width = input.width();
            Value shape = shapes.computeIfAbsent(width, w -> to.integers("moments.rows." + w, -1, w));
            Value x = new Value(name, ElementType.FLOAT, Shape.from("batch", "tokens", width));
            if (!known.contains(name)) { // a value of an earlier part that nothing else reads
                to.input(x);
            }
            Value rows = to.op("Reshape", name + ROWS, x, shape);
            to.op("Gemm", name + GRAM, List.of(rows, rows), Map.of("transA", 1));
            Value absolute = to.op("Abs", name + ".absolute", rows);
            to.op("ReduceSum", name + MAGNITUDES, List.of(absolute, axis), Map.of("keepdims", 0));
            to.op("Shape", name + ".count", List.of(rows), Map.of("end", 1));
            to.output(name + GRAM, ElementType.FLOAT, width, width);
            to.output(name + MAGNITUDES, ElementType.FLOAT, width);
            to.output(name + ".count", ElementType.INT64, 1);
            sums.put(input, new InputMoments(width));
        }
        this.graph = to.build();
    }

    Graph graph() {
        return graph;
    }

    /** Adds the results of a batch. */
    void add(Map<String, OnnxTensor> results) {
        sums.forEach((input, sum) -> {
            String name = input.value();
            OnnxTensor count = Objects.requireNonNull(results.get(name + ".count"));
            sum.add(
                    count.getLongBuffer().get(0),
                    floats(Objects.requireNonNull(results.get(name + GRAM))),
                    floats(Objects.requireNonNull(results.get(name + MAGNITUDES))));
        });
    }

    private static float[] floats(OnnxTensor tensor) {
        FloatBuffer buffer = tensor.getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    Map<LinearInput, InputMoments> sums() {
        return sums;
    }
}
