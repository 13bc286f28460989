package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.EncoderModel;
import dev.pollux.finetune.internal.training.TextBatch;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.encoder.EncoderInputs;
import dev.pollux.job.JobContext;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** Runs optimizer steps of an encoder. <em>Confined to one thread.</em> */
final class EncoderSteps extends StepRunner<List<EncoderRows.Unit>> {

    /*
     * Every text of a batch is run forwards, in runs of texts of similar length. The loss compares the vectors of all of them and
     * gives a gradient for each. Then each run goes backwards by itself (Gao et al., arXiv:2101.06983), so the memory depends on the
     * size of a run, not on that of a batch, whose size decides how many documents a query is compared with.
     */

    /** The most tokens of a run, padding included, unless one text is longer. */
    static final int TOKENS = 1024;

    private final EncoderModel model;
    private final EncoderObjective objective;
    private final TextPooling pooling;

    EncoderSteps(
            EncoderModel model,
            Trainables trainables,
            EncoderObjective objective,
            EncoderInputs inputs,
            TrainingOptions options) {
        super(trainables, options);
        this.model = model;
        this.objective = objective;
        this.pooling = new TextPooling(inputs.pooling(), model.width());
    }

    /** Texts that are run together, by their places in the batch. */
    private record Run(List<Integer> places, TextBatch texts, OptionalLong seed, float[] result) {}

    @Override
    double targets(List<EncoderRows.Unit> batch) {
        return batch.size();
    }

    @Override
    long tokens(List<EncoderRows.Unit> batch) {
        return batch.stream().mapToLong(EncoderRows.Unit::tokens).sum();
    }

    @Override
    boolean isPerToken() {
        return false;
    }

    @Override
    Found run(List<EncoderRows.Unit> batch, Scale scale, JobContext context) {
        List<EncoderInputs.Row> texts = texts(batch);
        List<Run> runs = forward(texts, dropout(scale.number()), context);
        EncoderLoss loss = loss(batch, vectors(texts, runs));
        for (Run run : runs) {
            context.checkCancelled();
            float[] gradient = new float[run.result.length];
            for (int i = 0; i < run.places.size(); i++) {
                int place = run.places.get(i);
                double[] own = loss.gradients().get(place).clone();
                for (int j = 0; j < own.length; j++) {
                    own[j] *= scale.share();
                }
                if (objective.scores()) {
                    gradient[i] = (float) own[0];
                } else {
                    pooling.gradient(own, run.result, span(run, i, texts.get(place)), gradient);
                }
            }
            model.backward(run.texts, run.seed, gradient, context);
        }
        return new Found(loss.value(), metrics(loss));
    }

    /** The loss of a batch without gradients. */
    EncoderLoss evaluate(List<EncoderRows.Unit> batch, JobContext context) {
        List<EncoderInputs.Row> texts = texts(batch);
        return loss(batch, vectors(texts, forward(texts, OptionalLong.empty(), context)));
    }

    private static Map<String, Double> metrics(EncoderLoss loss) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("accuracy", loss.accuracy());
        return metrics;
    }

    private EncoderLoss loss(List<EncoderRows.Unit> batch, List<double[]> vectors) {
        if (objective instanceof EncoderObjective.Contrastive contrastive) {
            return ContrastiveLoss.of(batch, vectors, contrastive.scale());
        }
        return EncoderLoss.binary(batch, vectors, ((EncoderObjective.BinaryCrossEntropy) objective).positiveWeight());
    }

    private static List<EncoderInputs.Row> texts(List<EncoderRows.Unit> batch) {
        return batch.stream().flatMap(unit -> unit.texts().stream()).toList();
    }

    private List<Run> forward(List<EncoderInputs.Row> texts, OptionalLong seed, JobContext context) {
        List<Integer> byLength = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> texts.get(i).ids().length))
                .toList();
        List<Run> runs = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < byLength.size(); i++) {
            places.add(byLength.get(i));
            int next = i + 1 < byLength.size() ? texts.get(byLength.get(i + 1)).ids().length : 0;
            if (next == 0 || (places.size() + 1) * next > TOKENS) {
                int number = runs.size();
                OptionalLong own =
                        seed.isPresent() ? OptionalLong.of(mixed(seed.getAsLong(), number)) : OptionalLong.empty();
                runs.add(forward(texts, places, own, context));
                places = new ArrayList<>();
            }
        }
        return runs;
    }

    private Run forward(List<EncoderInputs.Row> texts, List<Integer> places, OptionalLong seed, JobContext context) {
        context.checkCancelled();
        TextBatch batch = TextBatch.of(places.stream()
                .map(texts::get)
                .map(row -> new TextBatch.Text(row.ids(), row.types()))
                .toList());
        return new Run(List.copyOf(places), batch, seed, model.forward(batch, seed, context));
    }

    private TextPooling.Span span(Run run, int index, EncoderInputs.Row text) {
        return new TextPooling.Span(index * run.texts.length() * model.width(), text.pooledFrom(), text.ids().length);
    }

    /** The vector or the score of each text, in order. */
    private List<double[]> vectors(List<EncoderInputs.Row> texts, List<Run> runs) {
        double[][] vectors = new double[texts.size()][];
        for (Run run : runs) {
            for (int i = 0; i < run.places.size(); i++) {
                int place = run.places.get(i);
                vectors[place] = objective.scores()
                        ? new double[] {run.result[i]}
                        : pooling.pool(run.result, span(run, i, texts.get(place)));
            }
        }
        return List.of(vectors);
    }

    @Override
    void refresh() {
        model.refresh();
    }

    @Override
    long allocated() {
        return model.allocated();
    }

    @Override
    public void close() {
        model.close();
    }
}
