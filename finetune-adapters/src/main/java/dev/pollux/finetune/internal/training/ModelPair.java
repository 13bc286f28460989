package dev.pollux.finetune.internal.training;

import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.TensorFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A model in training, and the reference that it is compared with, which share sessions and weights. <em>Confined to one
 * thread.</em>
 */
public final class ModelPair implements AutoCloseable {

    private final Memory memory = new Memory();
    private final Programs programs;
    private final ModelWeights weights;
    private final TrainableModel model;
    private final Optional<Reference> reference;
    private final Optional<TeacherModel> teacher;

    /** A model with the weights that it reads. */
    private record Reference(TrainableModel model, ModelWeights weights) {}

    /**
     * What a model is and how it runs. <em>Immutable.</em>
     *
     * @param tensors its tensors, open as long as the model is used
     * @param mostTokens the largest number of tokens in one row
     * @param threads of the runtime
     * @param weightMemory bytes of weights that stay in memory
     * @param kept what of a forward pass is kept for the backward pass
     */
    public record Setting(
            ModelConfig config,
            Settings settings,
            TensorFile tensors,
            int mostTokens,
            int threads,
            long weightMemory,
            Kept kept) {

        ModelGraphs graphs(Trainables trainables) {
            return new ModelGraphs(this, trainables, Optional.empty());
        }
    }

    /**
     * Prepares the models; reads no weights.
     *
     * @param residuals what is taken out of the matrices of the model in training
     * @param reference the changes of the reference; empty for no reference
     * @throws dev.pollux.UnsupportedModelException if the architecture cannot be trained
     */
    public ModelPair(Setting setting, Trainables trainables, Residuals residuals, Optional<Trainables> reference) {
        this(setting, trainables, residuals, reference, Optional.empty());
    }

    /**
     * The same with a teacher.
     *
     * @param teacher whose predictions the model in training is compared with; the caller closes it
     */
    public ModelPair(
            Setting setting,
            Trainables trainables,
            Residuals residuals,
            Optional<Trainables> reference,
            Optional<TeacherModel> teacher) {
        this.teacher = teacher;
        this.programs = new Programs(setting.threads, setting.config.hiddenSize());
        List<TrainableModel> made = new ArrayList<>();
        try {
            ModelGraphs graphs = new ModelGraphs(setting, trainables, teacher.map(TeacherModel::loss));
            this.weights = new ModelWeights(memory, setting.weightMemory, residuals.changes(graphs.products()));
            this.model = new TrainableModel(graphs, programs, memory, weights, setting.kept, teacher);
            made.add(model);
            if (reference.isEmpty()) {
                this.reference = Optional.empty();
                return;
            }
            ModelWeights own = residuals.isEmpty() ? weights : new ModelWeights(memory, 0, Map.of());
            ModelGraphs compared = setting.graphs(reference.get());
            this.reference =
                    Optional.of(new Reference(new TrainableModel(compared, programs, memory, own, Kept.NOTHING), own));
        } catch (RuntimeException | Error e) {
            made.forEach(TrainableModel::close);
            programs.close();
            throw e;
        }
    }

    /** The names of the matrices that the layers of a model multiply with, in order. */
    public static Set<String> matrices(Setting setting) {
        return setting.graphs(Trainables.NONE).matrices();
    }

    /**
     * Runs the model in training. The caller closes the result.
     *
     * @param dropout the seed of dropout; empty for none
     */
    public Activations forward(TokenBatch batch, OptionalLong dropout, JobContext context) {
        return model.forward(batch, dropout, context);
    }

    /** Measures of the predicted tokens. */
    public TokenMeasures measures(Activations activations, JobContext context) {
        return model.measures(activations, context);
    }

    /**
     * Measures of the predicted tokens, with the first part of the backward pass, which {@link #backward(Activations, JobContext)} completes;
     * it takes less time than the two one after the other. Of the measures only log p, entropy and hits are computed.
     *
     * @param seeds of each predicted token
     */
    public TokenMeasures measures(Activations activations, TokenSeeds seeds, JobContext context) {
        return model.measures(activations, seeds, context);
    }

    /** Adds the gradients of L to those of the parameters, from the seeds that were given to {@link #measures}. */
    public void backward(Activations activations, JobContext context) {
        model.backward(activations, context);
    }

    /**
     * Adds the gradients of L to those of the parameters.
     *
     * @param seeds of each predicted token
     */
    public void backward(Activations activations, TokenSeeds seeds, JobContext context) {
        model.backward(activations, seeds, context);
    }

    /** Measures of the predicted tokens by the reference. */
    public TokenMeasures reference(TokenBatch batch, JobContext context) {
        TrainableModel compared = reference.orElseThrow().model();
        try (Activations activations = compared.forward(batch, OptionalLong.empty(), context)) {
            return compared.measures(activations, context);
        }
    }

    /** Takes over the values of the parameters. */
    public void refresh() {
        model.refresh();
    }

    /** The number of sessions. */
    public int sessions() {
        return programs.size();
    }

    /** The bytes of direct memory allocated so far. */
    public long allocated() {
        return memory.allocated() + teacher.map(TeacherModel::allocated).orElse(0L);
    }

    @Override
    public void close() {
        reference.ifPresent(compared -> {
            compared.model().close();
            compared.weights().close();
        });
        model.close();
        weights.close();
        programs.close();
    }
}
