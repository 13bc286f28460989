package dev.pollux.finetune.internal.training;

import ai.onnxruntime.OnnxTensor;
import dev.pollux.finetune.internal.training.Programs.Program;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.graph.Weight;
import dev.pollux.job.JobContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** A model whose predictions another one learns. <em>Confined to one thread.</em> */
public final class TeacherModel implements AutoCloseable {

    /*
     * What is kept of a text is the stream after the last layer at each predicted token, from which the norm and the head give the
     * logits again. It has (hidden size) numbers for a token and not (vocabulary), and loses nothing.
     */

    private final TeacherLoss loss;
    private final Memory memory = new Memory();
    private final Programs programs;
    private final ModelGraphs graphs;
    private final ModelWeights weights;
    private final TrainableModel model;
    private final Program head;
    private final List<Weight> headWeights;
    private final int width;
    private final int vocabulary;

    /**
     * Prepares the model; reads its head alone.
     *
     * @throws dev.pollux.UnsupportedModelException if its layers are not known to training
     */
    public TeacherModel(ModelPair.Setting setting, TeacherLoss loss) {
        this.loss = loss;
        this.width = setting.config().hiddenSize();
        this.programs = new Programs(setting.threads(), width);
        this.weights = new ModelWeights(memory, setting.weightMemory(), Map.of());
        try {
            this.graphs = setting.graphs(Trainables.NONE);
            this.vocabulary = graphs.head().columns();
            Graph logits = graphs.headForward(List.of(graphs.head().rows()));
            this.head = programs.of(logits);
            this.headWeights = graphs.weights(logits);
            this.model = new TrainableModel(graphs, programs, memory, weights, Kept.NOTHING);
            weights.load(headWeights, JobContext.NONE).close(); // before the layers, so that it is what stays in memory
        } catch (RuntimeException | Error e) {
            weights.close();
            programs.close();
            throw e;
        }
    }

    TeacherLoss loss() {
        return loss;
    }

    /** The number of tokens that it predicts. */
    public int vocabulary() {
        return vocabulary;
    }

    /** The number of numbers that are kept of a token. */
    public int width() {
        return width;
    }

    /** What is kept of the predicted tokens, (targets, width). */
    public float[] states(TokenBatch batch, JobContext context) {
        try (Activations activations = model.forward(batch, OptionalLong.empty(), context)) {
            float[] all = activations.last().array();
            int[] rows = batch.rows();
            float[] states = new float[rows.length * width];
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(all, rows[i] * width, states, i * width, width);
            }
            return states;
        }
    }

    /**
     * The logits of some predicted tokens. The caller closes them.
     *
     * @param states (targets, width)
     * @param columns the vocabulary of the model that learns, whose tokens are the first ones
     * @return (count, columns)
     */
    FloatTensor logits(float[] states, int first, int count, int columns, JobContext context) {
        float[] some = new float[count * width];
        System.arraycopy(states, first * width, some, 0, some.length);
        FloatTensor logits = memory.take(count, vocabulary);
        try (ModelWeights.Loaded loaded = weights.load(headWeights, context);
                FloatTensor x = memory.take(1, count, width).set(some)) {
            Map<String, OnnxTensor> given = new HashMap<>(loaded.tensors());
            Value stream = graphs.stream(graphs.layers());
            given.put(stream.name(), x.tensor());
            head.run(given, Map.of(graphs.head().rows().name(), logits.tensor()), context);
        } catch (RuntimeException | Error e) {
            logits.close();
            throw e;
        }
        if (columns == vocabulary) {
            return logits;
        }
        try (logits) {
            float[] all = logits.array();
            float[] cut = new float[count * columns];
            for (int i = 0; i < count; i++) {
                System.arraycopy(all, i * vocabulary, cut, i * columns, columns);
            }
            return memory.take(count, columns).set(cut);
        }
    }

    /** The bytes of direct memory allocated so far. */
    long allocated() {
        return memory.allocated();
    }

    @Override
    public void close() {
        model.close();
        weights.close();
        programs.close();
    }
}
