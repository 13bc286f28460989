package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.List;

/**
 * What the loop of a run trains: a decoder or an encoder with rows. <em>For one run.</em>
 *
 * @param <B> a micro-batch
 */
interface TrainingTask<B> {

    /** A text that differs between runs that cannot continue each other. */
    String digest();

    /** The number of rows. */
    int rows();

    Trainables trainables();

    /** Prepares the model. The caller closes it. */
    StepRunner<B> open(TrainingOptions options);

    /** The rows of a step from {@code first} to {@code end} of an order, in micro-batches. */
    List<B> batches(long step, List<RowOrder.Range> parts, RowOrder order, JobContext context);

    /** Measures of the rows that are not trained. */
    TrainingReport.Evaluation evaluate(StepRunner<B> runner, JobContext context);

    /** What is to be known about the rows before the first step. */
    List<String> notices();

    /** What is wrong after a step. */
    List<String> step(StepRunner.Step found);

    /** What is wrong after the last step. */
    List<String> end();

    TrainedAdapter adapter();

    /** Saves the result. */
    void save(Path folder, JobContext context);
}
