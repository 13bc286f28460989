package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.finetune.internal.training.ModelGraphs.Backward;
import dev.pollux.finetune.internal.training.Programs.Program;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.inference.internal.session.Tensors;
import dev.pollux.job.JobContext;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/** Runs the last norm and the head for predicted tokens, some at a time. <em>Confined to one thread.</em> */
final class HeadProgram {

    /** The logits of so many tokens are in memory at once. */
    private static final int ROWS = 64;

    private final ModelGraphs graphs;
    private final Memory memory;
    private final Program forward;
    private final Program backward;
    private final Programs programs;
    private @Nullable Program atOnce; // measures and gradients; opened by the first objective that uses it
    private final Map<String, Value> gradients;
    private final List<Weight> weights;
    private final String stream;
    private final Optional<TeacherModel> teacher;

    HeadProgram(ModelGraphs graphs, Programs programs, Memory memory, Optional<TeacherModel> teacher) {
        this.teacher = teacher;
        this.graphs = graphs;
        this.memory = memory;
        Graph measures = graphs.headForward(graphs.head().measures());
        this.forward = programs.of(measures);
        Backward found = graphs.headBackward(graphs.head().gradient(), List.of());
        this.backward = programs.of(found.graph());
        this.programs = programs;
        this.gradients = found.of();
        this.weights = graphs.weights(measures);
        this.stream = graphs.stream(graphs.layers()).name();
    }

    /**
     * The head for one row of tokens.
     *
     * @param inputs the trained inputs
     * @param trained receives their gradients
     */
    record Run(
            Activations activations,
            ModelWeights weights,
            Map<String, FloatTensor> inputs,
            BiConsumer<String, FloatTensor> trained,
            JobContext context) {}

    /** Calls the visitor with the inputs for some predicted tokens, and the index of the first. */
    private void chunks(Run run, ObjIntConsumer<Map<String, OnnxTensor>> visitor) {
        Activations activations = run.activations();
        int[] rows = activations.batch().rows();
        int width = graphs.table().columns();
        float[] states = activations.last().array();
        try (ModelWeights.Loaded loaded = run.weights().load(weights, run.context())) {
            for (int first = 0; first < rows.length; first += ROWS) {
                int count = Math.min(ROWS, rows.length - first);
                float[] some = new float[count * width];
                long[] labels = new long[count];
                for (int i = 0; i < count; i++) {
                    System.arraycopy(states, rows[first + i] * width, some, i * width, width);
                    labels[i] = activations.batch().label(first + i);
                }
                Map<String, OnnxTensor> given = new HashMap<>(loaded.tensors());
                given.putAll(TrainableModel.tensors(run.inputs()));
                try (FloatTensor x = memory.take(1, count, width).set(some);
                        OnnxTensor label = labels(labels);
                        FloatTensor taught = taught(activations, first, count, run.context())) {
                    given.put(HeadGraph.TEACHER, taught.tensor());
                    given.put(stream, x.tensor());
                    given.put(HeadGraph.LABELS, label);
                    visitor.accept(given, first);
                }
            }
        }
    }

    /** The logits of the teacher, or a number that nothing reads. */
    private FloatTensor taught(Activations activations, int first, int count, JobContext context) {
        return teacher.isEmpty()
                ? memory.take(1)
                : teacher.get()
                        .logits(
                                activations.taught(),
                                first,
                                count,
                                graphs.head().columns(),
                                context);
    }

    private static OnnxTensor labels(long[] labels) {
        ByteBuffer bytes = Tensors.direct(labels.length * Long.BYTES);
        bytes.asLongBuffer().put(labels);
        return Tensors.over(bytes, ElementType.INT64, labels.length, 1);
    }

    /** Measures of the predicted tokens. */
    TokenMeasures measures(Run run) {
        Measures measures = new Measures(
                run.activations().batch().targets().length, graphs.head().measures());
        chunks(run, (given, first) -> {
            Map<String, FloatTensor> results = measures.take(first);
            forward.run(given, TrainableModel.tensors(results), run.context());
            measures.put(results, first);
        });
        return measures.all();
    }

    /** Measures of predicted tokens as they are computed; zeros for those that are not. */
    private final class Measures {

        private final int count;
        private final List<Value> measured;
        private final List<float[]> all = new ArrayList<>();

        Measures(int count, List<Value> measured) {
            this.count = count;
            this.measured = measured;
            measured.forEach(value -> all.add(new float[count]));
        }

        /** Room for those of some tokens. */
        Map<String, FloatTensor> take(int first) {
            Map<String, FloatTensor> results = new HashMap<>();
            measured.forEach(value -> results.put(value.name(), memory.take(Math.min(ROWS, count - first), 1)));
            return results;
        }

        /** Takes them over and closes the room. */
        void put(Map<String, FloatTensor> results, int first) {
            for (int i = 0; i < all.size(); i++) {
                try (FloatTensor result =
                        Objects.requireNonNull(results.get(measured.get(i).name()))) {
                    System.arraycopy(result.array(), 0, all.get(i), first, Math.min(ROWS, count - first));
                }
            }
        }

        TokenMeasures all() {
            List<float[]> each = graphs.head().measures().stream().map(this::of).toList();
            if (each.size() == 1) {
                return TokenMeasures.ofScores(each.get(0));
            }
            float[] divergences = teacher.isPresent() ? each.get(5) : new float[count];
            return new TokenMeasures(each.get(0), each.get(1), each.get(2), each.get(3), each.get(4), divergences);
        }

        private float[] of(Value measure) {
            int at = measured.indexOf(measure);
            return at < 0 ? new float[count] : all.get(at);
        }
    }

    /**
     * Measures with gradients.
     *
     * @param gradient of the stream after the last layer, (1, tokens, hidden); the caller closes it
     */
    record Measured(TokenMeasures measures, FloatTensor gradient) {}

    /**
     * Those measures of the predicted tokens that {@link HeadGraph.AtOnce} has, and the gradient of the stream after the last layer.
     *
     * @param seeds dL/dlog p and dL/dD of each predicted token
     */
    Measured measured(Run run, TokenSeeds seeds) {
        Program program = atOnce();
        Measures measures = new Measures(
                run.activations().batch().targets().length,
                graphs.head().atOnce().measures());
        FloatTensor gradient = backward(run, seeds, (given, first, results) -> {
            Map<String, FloatTensor> own = measures.take(first);
            results.putAll(TrainableModel.tensors(own));
            program.run(given, results, run.context());
            measures.put(own, first);
        });
        return new Measured(measures.all(), gradient);
    }

    private Program atOnce() {
        Program opened = atOnce;
        if (opened == null) {
            HeadGraph.AtOnce graph = graphs.head().atOnce();
            opened = programs.of(
                    graphs.headBackward(graph.gradient(), graph.measures()).graph());
            atOnce = opened;
        }
        return opened;
    }

    /**
     * The gradient of the stream after the last layer.
     *
     * @param seeds dL/dlog p and dL/dD of each predicted token
     * @return (1, tokens, hidden); the caller closes it
     */
    FloatTensor backward(Run run, TokenSeeds seeds) {
        return backward(run, seeds, (given, first, results) -> backward.run(given, results, run.context()));
    }

    /** Runs a program for the tokens from {@code first} on. */
    @FunctionalInterface
    private interface Step {
        void run(Map<String, OnnxTensor> given, int first, Map<String, OnnxTensor> results);
    }

    private FloatTensor backward(Run run, TokenSeeds seeds, Step step) {
        int width = graphs.table().columns();
        TokenBatch batch = run.activations().batch();
        int[] rows = batch.rows();
        float[] sum = new float[batch.ids().length * width];
        chunks(run, (given, first) -> {
            int count = Math.min(ROWS, rows.length - first);
            Map<String, FloatTensor> found = LayerPrograms.take(memory, gradients, count);
            Map<String, OnnxTensor> results = new HashMap<>();
            gradients.forEach((name, value) -> results.put(
                    value.name(), Objects.requireNonNull(found.get(name)).tensor()));
            try (FloatTensor tokenWeights = weights(seeds.logProbabilities(), first, count, -1);
                    FloatTensor divergenceWeights = weights(seeds.divergences(), first, count, 1)) {
                given.put(HeadGraph.WEIGHTS, tokenWeights.tensor());
                given.put(HeadGraph.DIVERGENCE_WEIGHTS, divergenceWeights.tensor());
                step.run(given, first, results);
            }
            found.forEach((name, gradient) -> {
                if (name.equals(stream)) {
                    addRows(sum, gradient.array(), rows, first, width);
                } else {
                    run.trained().accept(name, gradient);
                }
                gradient.close();
            });
        });
        return memory.take(1, batch.ids().length, width).set(sum);
    }

    private FloatTensor weights(float[] seeds, int first, int count, float factor) {
        float[] some = new float[count];
        for (int i = 0; i < count; i++) {
            some[i] = factor * seeds[first + i];
        }
        return memory.take(count, 1).set(some);
    }

    private static void addRows(float[] sum, float[] some, int[] rows, int first, int width) {
        for (int i = 0; i < some.length / width; i++) {
            int at = rows[first + i] * width;
            for (int j = 0; j < width; j++) {
                sum[at + j] += some[i * width + j];
            }
        }
    }
}
