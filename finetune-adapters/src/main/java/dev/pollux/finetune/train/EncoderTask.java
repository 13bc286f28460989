package dev.pollux.finetune.train;

import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.training.EncoderModel;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.finetune.train.EncoderTrainer.Prepared;
import dev.pollux.finetune.train.TrainingReport.Evaluation;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** An encoder in training. <em>For one run.</em> */
final class EncoderTask implements TrainingTask<List<EncoderRows.Unit>> {

    /** The folder of the adapter in that of the model. */
    static final String ADAPTER = "adapter";

    private static final int SHOWN = 5;

    private final Prepared prepared;

    EncoderTask(Prepared prepared) {
        this.prepared = prepared;
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
    public StepRunner<List<EncoderRows.Unit>> open(TrainingOptions options) {
        EncoderModel model = new EncoderModel(prepared.setting(), prepared.trainables(), prepared.residuals());
        return new EncoderSteps(model, prepared.trainables(), prepared.objective(), prepared.inputs(), options);
    }

    @Override
    public List<List<EncoderRows.Unit>> batches(
            long step, List<RowOrder.Range> parts, RowOrder order, JobContext context) {
        return parts.stream()
                .map(part -> prepared.rows().batch(order, part.first(), part.end()))
                .toList();
    }

    @Override
    public Evaluation evaluate(StepRunner<List<EncoderRows.Unit>> runner, JobContext context) {
        if (prepared.evaluation().isEmpty()) {
            return Evaluation.NONE;
        }
        EncoderSteps steps = (EncoderSteps) runner;
        EncoderRows rows = prepared.evaluation().get();
        RowOrder order = RowOrder.stored(rows.size());
        int size = prepared.options().batchSize();
        double loss = 0;
        double accuracy = 0;
        for (int first = 0; first < rows.size(); first += size) {
            int end = Math.min(rows.size(), first + size);
            EncoderLoss found = steps.evaluate(rows.batch(order, first, end), context);
            loss += found.value() * (end - first);
            accuracy += found.accuracy() * (end - first);
            context.progress("evaluate", end, rows.size(), "rows");
        }
        return new Evaluation(OptionalDouble.of(loss / rows.size()), OptionalDouble.of(accuracy / rows.size()));
    }

    @Override
    public List<String> notices() {
        EncoderRows rows = prepared.rows();
        List<String> notices = new ArrayList<>();
        if (rows.cut() > 0) {
            notices.add(
                    rows.cut() + " texts are longer than " + prepared.inputs().maxTokens() + " tokens and are cut");
        }
        if (prepared.objective().scores() && rows.isOneSided()) {
            notices.add(
                    "All labels are on one side of 0.5, from which no difference is learned; add pairs of the other");
        }
        if (!prepared.objective().scores() && prepared.options().batchSize() == 1) {
            notices.add("A batch of one row has no other documents to compare with; raise the size of a batch");
        }
        List<Long> wrong = rows.contradictions();
        if (!wrong.isEmpty()) {
            notices.add(wrong.size() + " rows have a positive that is also a negative of its query; correct rows "
                    + wrong.stream().limit(SHOWN).map(String::valueOf).toList());
        }
        prepared.evaluation().ifPresent(others -> {
            long shared = rows.shared(others);
            if (shared > 0) {
                notices.add(shared + " evaluation rows are trained, too, so their loss says nothing about other rows;"
                        + " remove them from one of the files");
            }
        });
        return notices;
    }

    @Override
    public List<String> step(StepRunner.Step found) {
        return List.of();
    }

    @Override
    public List<String> end() {
        return Doctor.isUnchanged(prepared.trainables())
                ? List.of("The adapter changes nothing: all second factors are 0; raise the learning rate or the number"
                        + " of steps")
                : List.of();
    }

    @Override
    public TrainedAdapter adapter() {
        return TrainedAdapter.of(prepared.trainables(), prepared.residuals(), prepared.settings());
    }

    @Override
    public void save(Path folder, JobContext context) {
        TrainedAdapter adapter = adapter();
        WorkFolder.publish(folder, context, work -> {
            new TrainedEncoder(prepared.base(), adapter.trainables()).write(prepared.model(), work);
            adapter.save(work.resolve(ADAPTER));
            return work;
        });
    }
}
