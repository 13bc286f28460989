package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.training.Activations.Attended;
import dev.pollux.finetune.internal.training.LayerPrograms.Part;
import dev.pollux.finetune.internal.training.Programs.Program;
import dev.pollux.inference.graph.Value;
import dev.pollux.internal.OpenHandle;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.StackedMatrix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** Runs a model forwards and backwards with the changes of {@link Trainables}. <em>Confined to one thread.</em> */
final class TrainableModel implements AutoCloseable {

    private final ModelGraphs graphs;
    private final Memory memory;
    private final ModelWeights weights;
    private final boolean keepsAttention;
    private final KeptProducts products;
    private final List<LayerPrograms> layers = new ArrayList<>();
    private final Optional<Program> embedding;
    private final HeadProgram head;
    private final Map<List<Object>, BlockAttention> attentions = new HashMap<>();
    private final Map<String, FloatTensor> inputs = new LinkedHashMap<>();
    private final Programs programs;
    private final int firstTrained;
    private final OpenHandle handle;
    private List<BlockAttention.Range> documents = List.of(); // of the batch that is run

    /**
     * Prepares the layers.
     *
     * @param kept what of a forward pass is kept for the backward pass
     */
    TrainableModel(ModelGraphs graphs, Programs programs, Memory memory, ModelWeights weights, Kept kept) {
        this(graphs, programs, memory, weights, kept, Optional.empty());
    }

    /** The same with a teacher whose predictions it is compared with. */
    TrainableModel(
            ModelGraphs graphs,
            Programs programs,
            Memory memory,
            ModelWeights weights,
            Kept kept,
            Optional<TeacherModel> teacher) {
        this.graphs = graphs;
        this.memory = memory;
        this.weights = weights;
        this.keepsAttention = kept.attention();
        this.products = new KeptProducts(kept.products());
        this.programs = programs;
        this.embedding = graphs.embedding().map(programs::of);
        int first = graphs.layers();
        for (int layer = 0; layer < graphs.layers(); layer++) {
            LayerPrograms own = new LayerPrograms(graphs, layer, first < layer, kept.products() > 0, programs);
            layers.add(own);
            if (own.isTrained()) {
                first = Math.min(first, layer);
            }
        }
        this.firstTrained = first;
        this.head = new HeadProgram(graphs, programs, memory, teacher);
        graphs.trained()
                .values()
                .forEach(input -> inputs.put(
                        input.name(),
                        memory.hold(input.shape().stream()
                                .mapToLong(Long::longValue)
                                .toArray())));
        refresh();
        this.handle = OpenHandle.of("TrainableModel");
    }

    /** Takes over the values of the parameters. */
    void refresh() {
        graphs.trained()
                .values()
                .forEach(input ->
                        Objects.requireNonNull(inputs.get(input.name())).set(input));
    }

    private BlockAttention attention(Part part) {
        var described = part.call().orElseThrow().attention();
        return attentions.computeIfAbsent(
                BlockAttention.key(described), key -> new BlockAttention(described, programs, memory));
    }

    // Forward

    /**
     * Runs the layers. The caller closes the result.
     *
     * @param dropout the seed of dropout; empty for none
     */
    Activations forward(TokenBatch batch, OptionalLong dropout, JobContext context) {
        Activations activations = new Activations(batch, dropout, products.row());
        documents = batch.documents();
        try (CommonInputs given = common(batch)) {
            activations.streams().add(embed(batch, given, context));
            for (int layer = 0; layer < layers.size(); layer++) {
                FloatTensor x = activations.last();
                try (ModelWeights.Loaded loaded = weights.load(layers.get(layer).weights(), context);
                        DropoutMasks masks =
                                DropoutMasks.of(layers.get(layer).masks(), activations, graphs.dropout(), memory)) {
                    List<Attended> attended = new ArrayList<>();
                    activations.attentions().add(attended);
                    boolean keeps =
                            activations.products().fits(layers.get(layer).keptBytes(batch.ids().length));
                    Layer one = new Layer(layer, keeps, activations, masks.with(given.with(loaded)), context);
                    activations.streams().add(forward(one, x, attended));
                    if (!keepsAttention) {
                        attended.forEach(Attended::close);
                        attended.clear();
                    }
                }
            }
            return activations;
        } catch (RuntimeException | Error e) {
            activations.close();
            throw e;
        }
    }

    private CommonInputs common(TokenBatch batch) {
        return new CommonInputs(graphs, tensors(inputs), batch);
    }

    private FloatTensor embed(TokenBatch batch, CommonInputs given, JobContext context) {
        StackedMatrix table = graphs.table();
        int width = table.columns();
        float[] rows = new float[batch.ids().length * width];
        for (int i = 0; i < batch.ids().length; i++) {
            int id = batch.ids()[i];
            if (id < 0 || id >= table.rows()) {
                throw new MalformedFileException(table.names().get(0) + " has " + table.rows()
                        + " rows but a text has the token id " + id
                        + "; the tokenizer or the configuration belongs to another model");
            }
            float[] row = table.tensors().floats(table.names().get(0), (long) id * width, width);
            System.arraycopy(row, 0, rows, i * width, width);
        }
        FloatTensor x = memory.take(1, batch.ids().length, width).set(rows);
        if (embedding.isEmpty()) {
            return x;
        }
        try (x) {
            FloatTensor scaled = memory.take(1, batch.ids().length, width);
            Map<String, OnnxTensor> all = new HashMap<>(given.tensors());
            all.put(graphs.rows().name(), x.tensor());
            embedding.get().run(all, Map.of(graphs.stream(0).name(), scaled.tensor()), context);
            return scaled;
        }
    }

    /**
     * A layer that runs.
     *
     * @param keeps whether results of its products are kept
     * @param given what its segments read
     */
    private record Layer(
            int number, boolean keeps, Activations activations, Map<String, OnnxTensor> given, JobContext context) {}

    /** The stream after a layer; {@code attended} receives its attentions. */
    private FloatTensor forward(Layer layer, FloatTensor x, List<Attended> attended) {
        LayerPrograms own = layers.get(layer.number());
        layer.given().put(own.stream(), x.tensor());
        for (Part part : own.parts()) {
            Map<String, FloatTensor> results = run(part, layer, tokens(x));
            if (part.call().isEmpty()) {
                return results.values().iterator().next();
            }
            attended.add(attend(part, results, layer.given(), layer.context()));
        }
        throw new IllegalStateException("a layer must end with its stream");
    }

    /** The results of a segment; what is kept goes to the activations. */
    private Map<String, FloatTensor> run(Part part, Layer layer, int tokens) {
        Map<String, FloatTensor> results = results(part.results(), tokens);
        Map<String, OnnxTensor> all = tensors(results);
        if (layer.keeps() && part.keeping().isPresent()) {
            LayerPrograms.Keeping keeping = part.keeping().get();
            Map<String, FloatTensor> kept = results(keeping.values(), tokens);
            layer.activations().products().keep(layer.number(), kept);
            all.putAll(tensors(kept));
            keeping.forward().run(layer.given(), all, layer.context());
        } else {
            part.forward().run(layer.given(), all, layer.context());
        }
        return results;
    }

    private Attended attend(
            Part part, Map<String, FloatTensor> results, Map<String, OnnxTensor> given, JobContext context) {
        List<FloatTensor> qkv = part.results().stream()
                .map(value -> Objects.requireNonNull(results.get(value.name())))
                .toList();
        BlockAttention.Inputs in = new BlockAttention.Inputs(qkv.get(0), qkv.get(1), qkv.get(2));
        Attended one = new Attended(in, attention(part).forward(in, documents, context));
        given.put(part.call().orElseThrow().attended().name(), one.result().tensor());
        return one;
    }

    private int tokens(FloatTensor x) {
        return x.elements() / graphs.table().columns();
    }

    private Map<String, FloatTensor> results(List<Value> of, int tokens) {
        Map<String, Value> values = new LinkedHashMap<>();
        of.forEach(value -> values.put(value.name(), value));
        return LayerPrograms.take(memory, values, tokens);
    }

    static Map<String, OnnxTensor> tensors(Map<String, FloatTensor> of) {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        of.forEach((name, tensor) -> tensors.put(name, tensor.tensor()));
        return tensors;
    }

    // Head

    /** Measures of the predicted tokens. */
    TokenMeasures measures(Activations activations, JobContext context) {
        return head.measures(run(activations, context));
    }

    /**
     * Measures of the predicted tokens, with the gradients of the head in the same pass. {@link #backward(Activations, JobContext)} goes on
     * from there.
     *
     * @param seeds of each predicted token
     */
    TokenMeasures measures(Activations activations, TokenSeeds seeds, JobContext context) {
        HeadProgram.Measured both = head.measured(run(activations, context), seeds);
        activations.headGradient(both.gradient());
        return both.measures();
    }

    private HeadProgram.Run run(Activations activations, JobContext context) {
        return new HeadProgram.Run(activations, weights, inputs, this::addGradient, context);
    }

    // Backward

    /**
     * Adds the gradients of L to those of the parameters.
     *
     * @param seeds of each predicted token
     */
    void backward(Activations activations, TokenSeeds seeds, JobContext context) {
        activations.headGradient(head.backward(run(activations, context), seeds));
        backward(activations, context);
    }

    /** Adds the gradients of L to those of the parameters of the layers, after those of the head. */
    void backward(Activations activations, JobContext context) {
        FloatTensor dx = activations.takeHeadGradient().orElseThrow();
        documents = activations.batch().documents();
        try (CommonInputs given = common(activations.batch())) {
            for (int layer = layers.size() - 1; layer >= firstTrained; layer--) {
                try (ModelWeights.Loaded loaded = weights.load(layers.get(layer).weights(), context);
                        DropoutMasks masks =
                                DropoutMasks.of(layers.get(layer).masks(), activations, graphs.dropout(), memory);
                        FloatTensor seed = dx) {
                    dx = memory.take(1, tokens(seed), graphs.table().columns());
                    dx.clear();
                    Map<String, FloatTensor> kept = activations.products().of(layer);
                    Map<String, OnnxTensor> all = masks.with(given.with(loaded));
                    all.putAll(tensors(kept));
                    backward(new Layer(layer, !kept.isEmpty(), activations, all, context), seed, dx);
                    activations.products().release(layer);
                }
            }
        } finally {
            dx.close();
        }
    }

    private void backward(Layer layer, FloatTensor seed, FloatTensor dx) {
        List<Attended> attended =
                new ArrayList<>(layer.activations().attentions().get(layer.number()));
        boolean kept = !attended.isEmpty();
        FloatTensor x = layer.activations().streams().get(layer.number());
        List<Part> parts = layers.get(layer.number()).parts();
        layer.given().put(layers.get(layer.number()).stream(), x.tensor());
        if (kept) {
            for (int i = 0; i < attended.size(); i++) {
                layer.given()
                        .put(
                                parts.get(i).call().orElseThrow().attended().name(),
                                attended.get(i).result().tensor());
            }
        } else {
            again(layer, parts, tokens(x), attended);
        }
        Map<String, FloatTensor> open = new HashMap<>(); // gradients of attended values
        try {
            Part last = parts.get(parts.size() - 1);
            layer.given().put(ModelGraphs.SEED + last.results().get(0).name(), seed.tensor());
            segment(layer, last, dx, open);
            for (int i = parts.size() - 2; i >= 0; i--) {
                FloatTensor result =
                        open.remove(parts.get(i).call().orElseThrow().attended().name());
                if (result != null) {
                    attention(layer, parts.get(i), attended.get(i), result, dx, open);
                }
            }
        } finally {
            open.values().forEach(FloatTensor::close);
            if (!kept) {
                attended.forEach(Attended::close);
            }
        }
    }

    /** Computes the attentions of a layer again. */
    private void again(Layer layer, List<Part> parts, int tokens, List<Attended> attended) {
        for (Part part : parts.subList(0, parts.size() - 1)) {
            Map<String, FloatTensor> results = results(part.results(), tokens);
            part.forward().run(layer.given(), tensors(results), layer.context());
            attended.add(attend(part, results, layer.given(), layer.context()));
        }
    }

    private void attention(
            Layer layer,
            Part part,
            Attended attended,
            FloatTensor result,
            FloatTensor dx,
            Map<String, FloatTensor> open) {
        try (result;
                BlockAttention.Inputs seeds =
                        attention(part).backward(attended.inputs(), result, documents, layer.context())) {
            List<FloatTensor> each = List.of(seeds.query(), seeds.key(), seeds.value());
            for (int i = 0; i < each.size(); i++) {
                layer.given()
                        .put(
                                ModelGraphs.SEED + part.results().get(i).name(),
                                each.get(i).tensor());
            }
            segment(layer, part, dx, open);
        }
    }

    /** Runs the backward program of a segment and hands its gradients on. */
    private void segment(Layer layer, Part part, FloatTensor dx, Map<String, FloatTensor> open) {
        Program program = part.backward();
        if (program == null) {
            return;
        }
        if (layer.keeps()) {
            program = part.keeping().map(LayerPrograms.Keeping::backward).orElse(program);
        }
        Map<String, FloatTensor> found = LayerPrograms.take(memory, part.gradients(), tokens(dx));
        Map<String, OnnxTensor> results = new HashMap<>();
        part.gradients()
                .forEach((name, value) -> results.put(
                        value.name(), Objects.requireNonNull(found.get(name)).tensor()));
        program.run(layer.given(), results, layer.context());
        found.forEach((name, gradient) -> {
            if (name.equals(layers.get(layer.number()).stream())) {
                dx.add(gradient);
                gradient.close();
            } else if (inputs.containsKey(name)) {
                addGradient(name, gradient);
                gradient.close();
            } else {
                FloatTensor before = open.putIfAbsent(name, gradient);
                if (before != null) {
                    before.add(gradient);
                    gradient.close();
                }
            }
        });
    }

    private void addGradient(String input, FloatTensor gradient) {
        gradient.addTo(Objects.requireNonNull(graphs.trained().get(input)));
    }

    @Override
    public void close() {
        inputs.values().forEach(FloatTensor::close);
        inputs.clear();
        attentions.values().forEach(BlockAttention::close);
        handle.close();
    }
}
