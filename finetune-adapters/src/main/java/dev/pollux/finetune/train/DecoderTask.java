package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.finetune.train.LoraTrainer.Prepared;
import dev.pollux.finetune.train.TrainingReport.Evaluation;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** A decoder in training. <em>For one run.</em> */
final class DecoderTask implements TrainingTask<MicroBatch> {

    private final Prepared prepared;
    private final @Nullable RolloutSampler sampler;
    private final Doctor doctor;

    /** @param sampler of completions, for an objective that rates them */
    DecoderTask(Prepared prepared, @Nullable RolloutSampler sampler) {
        this.prepared = prepared;
        this.sampler = sampler;
        this.doctor = new Doctor(prepared.objective());
    }

    @Override
    public String digest() {
        return prepared.digest();
    }

    @Override
    public int rows() {
        return prepared.rows().size();
    }

    @Override
    public Trainables trainables() {
        return prepared.trainables();
    }

    @Override
    public StepRunner<MicroBatch> open(TrainingOptions options) {
        Optional<Teacher> teacher = teacher(options);
        try {
            ModelPair models = new ModelPair(
                    prepared.setting(),
                    prepared.trainables(),
                    prepared.residuals(),
                    prepared.reference(),
                    teacher.map(Teacher::model));
            return new DecoderSteps(models, prepared.trainables(), prepared.objective(), options, teacher);
        } catch (RuntimeException | Error e) {
            teacher.ifPresent(Teacher::close);
            throw e;
        }
    }

    private Optional<Teacher> teacher(TrainingOptions options) {
        return prepared.objective() instanceof DistillationObjective learned
                ? prepared.teacher()
                        .map(source -> source.open(
                                learned.options(), options, prepared.setting().mostTokens()))
                : Optional.empty();
    }

    @Override
    public List<MicroBatch> batches(long step, List<RowOrder.Range> parts, RowOrder order, JobContext context) {
        if (sampler == null) {
            return parts.stream()
                    .map(part -> prepared.rows().batch(order.rows(), part.first(), part.end()))
                    .toList();
        }
        List<List<RolloutSampler.Asked>> prompts = parts.stream()
                .map(part -> prepared.rows().prompts(order.rows(), part.first(), part.end()))
                .toList();
        return sampler.sample(prompts, step, adapter(), context);
    }

    @Override
    public Evaluation evaluate(StepRunner<MicroBatch> runner, JobContext context) {
        if (prepared.evaluation().isEmpty()) {
            return Evaluation.NONE;
        }
        DecoderSteps steps = (DecoderSteps) runner;
        PreparedRows rows = prepared.evaluation().get();
        int[] order = RowOrder.stored(rows.size()).rows();
        int size = prepared.options().batchSize();
        double loss = 0;
        double weight = 0;
        double accuracy = 0;
        boolean pairs = prepared.objective().rows() == Objective.Rows.PAIRS;
        for (int first = 0; first < rows.size(); first += size) {
            context.checkCancelled();
            int end = Math.min(rows.size(), first + size);
            MicroBatch batch = rows.batch(order, first, end);
            BatchLoss found = steps.evaluate(batch, context);
            double own = prepared.objective().isPerToken() ? batch.targets() : end - first;
            loss += found.loss() * own;
            weight += own;
            accuracy += found.metrics().getOrDefault(prepared.objective().accuracy(), 0.0) * (end - first);
            context.progress("evaluate", end, rows.size(), "rows");
        }
        return new Evaluation(
                OptionalDouble.of(loss / weight),
                pairs ? OptionalDouble.of(accuracy / rows.size()) : OptionalDouble.empty());
    }

    @Override
    public List<String> notices() {
        PreparedRows rows = prepared.rows();
        List<String> notices = new ArrayList<>();
        if (rows.cut() > 0) {
            notices.add(rows.cut() + " sequences are longer than "
                    + prepared.options().maxLength() + " tokens and are cut");
        }
        if (rows.left() > 0) {
            notices.add(rows.left() + " rows are left out: no trained token is left after they are cut");
        }
        notices.addAll(doctor.rows(rows, prepared.evaluation().stream().toList(), prepared.ends()));
        return notices;
    }

    @Override
    public List<String> step(StepRunner.Step found) {
        if (sampler != null) {
            found.metrics().putAll(sampler.metrics());
        }
        return doctor.step(found);
    }

    @Override
    public List<String> end() {
        return doctor.end(prepared.trainables());
    }

    @Override
    public TrainedAdapter adapter() {
        return TrainedAdapter.of(prepared.trainables(), prepared.residuals(), prepared.settings());
    }

    @Override
    public void save(Path folder, JobContext context) {
        adapter().save(folder);
    }
}
