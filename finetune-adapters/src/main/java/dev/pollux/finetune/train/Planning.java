package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.LoraModule;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.tensor.TensorInfo;
import java.util.List;

/** Numbers of a run before it starts. */
final class Planning {

    private Planning() {}

    /** The number of steps of a run. */
    static long steps(int rows, TrainingOptions options) {
        long all = (long) Math.ceil(RowOrder.stepsOfEpoch(rows, options) * options.epochs());
        return options.maxSteps() > 0 ? Math.min(all, options.maxSteps()) : all;
    }

    /** The steps of the warm-up. */
    static long warmUp(TrainingOptions options, long steps) {
        double warmUp = options.warmUp();
        return warmUp < 1 ? (long) Math.ceil(steps * warmUp) : (long) warmUp;
    }

    static TrainingPlan of(Checkpoint checkpoint, LoraTrainer.Prepared prepared) {
        PreparedRows rows = prepared.rows();
        TrainingOptions options = prepared.options();
        ModelConfig config = checkpoint.config();
        long trainable = prepared.trainables().parameters().stream()
                .mapToLong(parameter -> parameter.values().length)
                .sum();
        long steps = steps(rows.size(), options);
        long head = (long) config.vocabularySize() * config.hiddenSize();
        long inLayers = Math.max(0, checkpoint.parameters() - head * (config.tiedEmbedding() ? 1 : 2));
        double share = (double) steps * options.batchSize() * options.accumulation() / Math.max(1, rows.size());
        double operations = share * (6.0 * inLayers * rows.tokens() + 8.0 * head * rows.targets());
        long batch = (long) rows.longest() * options.batchSize() * sequences(prepared.objective());
        long row = Math.max(rows.longest(), Math.min(DecoderSteps.ROW, batch));
        long held = prepared.objective().gradient(1).isPresent() ? row : batch;
        long activations = held * 4L * (config.layers() + 1L) * config.hiddenSize()
                + kept(held, config, options)
                + row * 4L * 6L * config.intermediateSize()
                + 64L * 4L * 4L * config.vocabularySize();
        long weights = Math.min(options.weightMemory(), 4 * checkpoint.parameters());
        long states = prepared.trainables().parameters().stream()
                .mapToLong(Planning::bytes)
                .sum();
        Doctor doctor = new Doctor(prepared.objective());
        if (prepared.teacher().isPresent()) {
            Checkpoint teacher = prepared.teacher().get().checkpoint();
            weights += Math.min(options.weightMemory(), 4 * teacher.parameters());
            operations += 2.0 * teacher.parameters() * rows.tokens();
        }
        return new TrainingPlan(
                trainable,
                checkpoint.parameters(),
                prepared.trainables().modules().stream().map(LoraModule::tensor).toList(),
                rows.size(),
                rows.cut(),
                rows.left(),
                rows.tokens(),
                rows.targets(),
                rows.longest(),
                steps,
                operations,
                weights + activations + states,
                doctor.rows(rows, prepared.evaluation().stream().toList(), prepared.ends()));
    }

    private static int sequences(Objective objective) {
        return objective.rows() == Objective.Rows.PAIRS ? 2 : 1;
    }

    /** Bytes kept for the backward pass: inputs and results of attention, and results of products. */
    private static long kept(long tokens, ModelConfig config, TrainingOptions options) {
        if (options.activationMemory() == 0) {
            return 0;
        }
        long each = tokens * config.layers() * Float.BYTES;
        long products = each * (config.hiddenSize() + 2L * config.intermediateSize());
        return each * 4L * config.hiddenSize() + Math.min(products, options.activationMemory());
    }

    static TrainingPlan of(EncoderTrainer.Prepared prepared) {
        EncoderRows rows = prepared.rows();
        long trainable = prepared.trainables().parameters().stream()
                .mapToLong(parameter -> parameter.values().length)
                .sum();
        long parameters = prepared.base().tensors().tensors().values().stream()
                .mapToLong(TensorInfo::elements)
                .sum();
        long inLayers = prepared.setting().matrices().stream()
                .mapToLong(name -> prepared.base().tensors().info(name).elements())
                .sum();
        long steps = steps(rows.size(), prepared.options());
        double share = (double) steps
                * prepared.options().batchSize()
                * prepared.options().accumulation()
                / Math.max(1, rows.size());
        long states = prepared.trainables().parameters().stream()
                .mapToLong(Planning::bytes)
                .sum();
        return new TrainingPlan(
                trainable,
                parameters,
                EncoderTrainer.names(prepared.trainables()),
                rows.size(),
                rows.cut(),
                0,
                rows.tokens(),
                rows.tokens(),
                rows.longest(),
                steps,
                share * 8.0 * inLayers * rows.tokens(),
                Math.min(prepared.options().weightMemory(), 4 * parameters) + activations(prepared) + states,
                List.of());
    }

    /** Of the largest run: as many of the longest texts as there are in a batch and fit in a run. */
    private static long activations(EncoderTrainer.Prepared prepared) {
        int longest = prepared.rows().longest();
        int batch = prepared.options().batchSize() * prepared.rows().texts();
        int texts = Math.max(1, Math.min(batch, EncoderSteps.TOKENS / longest));
        return prepared.setting().activations(prepared.trainables(), texts, longest);
    }

    /** Values, gradient and two moments. */
    private static long bytes(Parameter parameter) {
        return 16L * parameter.values().length;
    }
}
