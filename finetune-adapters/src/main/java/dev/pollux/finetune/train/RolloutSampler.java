package dev.pollux.finetune.train;

import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.internal.math.CounterRandom;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Lets the model in training write completions, and has them rated. The caller closes it. <em>Confined to one thread.</em> */
final class RolloutSampler implements AutoCloseable {

    /*
     * The engine that runs models writes, in 32-bit floats as the training has them, with the adapter as it is before the step; so the
     * log-probabilities when a completion was written are those of the step's own forward pass, and every ratio is 1 in value. The tokens that were drawn are trained,
     * not those of the text encoded again.
     */

    private final OnnxGenerator generator;
    private final GrpoObjective objective;
    private final GenerationOptions sampling;
    private final long seed;
    private final Map<String, Double> metrics = new LinkedHashMap<>();

    RolloutSampler(Checkpoint checkpoint, GrpoObjective objective, TrainingOptions options) {
        this.generator = OnnxGenerator.open(
                checkpoint,
                EngineOptions.builder()
                        .threads(options.threads())
                        .adapters(true)
                        .export(ExportOptions.builder()
                                .weights(WeightFormat.FLOAT)
                                .build())
                        .build());
        this.objective = objective;
        this.seed = options.seed();
        this.sampling = GenerationOptions.builder()
                .maxTokens(objective.options().maxTokens())
                .temperature(objective.options().temperature())
                .build();
    }

    /**
     * A prompt.
     *
     * @param row its number
     * @param answers that are right; empty if none is given
     * @param ids as the model reads it
     */
    record Asked(long row, Prompt prompt, List<String> answers, int[] ids) {

        static Asked of(TrainingRow row, int[] ids) {
            List<Message> messages = new ArrayList<>();
            for (Map<String, Object> message : row.prompt().messages()) {
                String content = String.valueOf(message.getOrDefault("content", ""));
                messages.add(
                        switch (String.valueOf(message.get("role"))) {
                            case "system", "developer" -> Message.system(content);
                            case "assistant" -> Message.assistant(content);
                            default -> Message.user(content);
                        });
            }
            Prompt prompt = messages.isEmpty() ? Prompt.text(row.prompt().text()) : Prompt.chat(messages);
            return new Asked(row.number(), prompt, row.answers(), ids);
        }
    }

    /** Measures of the last step, with the names of TRL. */
    Map<String, Double> metrics() {
        return metrics;
    }

    /** Completions of the prompts of each micro-batch of a step, with their advantages. */
    List<MicroBatch> sample(List<List<Asked>> batches, long step, TrainedAdapter adapter, JobContext context) {
        Path folder = temporary();
        try {
            adapter.save(folder.resolve("adapter"));
            try (Generator adapted = generator.adapted(folder.resolve("adapter"))) {
                List<MicroBatch> rated = new ArrayList<>();
                metrics.clear();
                for (List<Asked> batch : batches) {
                    rated.add(sample(batch, CounterRandom.key(seed, step + " " + rated.size()), adapted, context));
                }
                metrics.replaceAll((name, sum) -> sum / batches.size());
                return rated;
            }
        } finally {
            delete(folder);
        }
    }

    private MicroBatch sample(List<Asked> batch, long key, Generator adapted, JobContext context) {
        int group = objective.options().completions();
        List<Sequence> sequences = new ArrayList<>();
        List<Rollout> rollouts = new ArrayList<>();
        for (Asked asked : batch) {
            for (int i = 0; i < group; i++) {
                context.checkCancelled();
                Generation written = adapted.generate(
                        asked.prompt(),
                        sampling.toBuilder()
                                .seed(CounterRandom.bits(key, rollouts.size()))
                                .build());
                sequences.add(sequence(asked.ids(), written.tokens()));
                rollouts.add(new Rollout(
                        asked.row(),
                        asked.prompt(),
                        asked.answers(),
                        written.text(),
                        written.tokens().size(),
                        written.finish() == FinishReason.END_OF_TEXT));
                context.progress("write", rollouts.size(), (long) batch.size() * group, "completions");
            }
        }
        double[] rewards = objective.rewards().rewards(List.copyOf(rollouts));
        check(rewards, rollouts);
        measure(rewards, rollouts, group);
        if (objective.rewards() instanceof WeightedRewards weighted) {
            weighted.means().forEach((name, mean) -> add("rewards/" + name + "/mean", mean));
        }
        return new MicroBatch(
                sequences,
                new boolean[0],
                List.of(),
                Advantages.of(rewards, group, objective.options().scaling()),
                new double[0]);
    }

    private static Sequence sequence(int[] prompt, List<Integer> written) {
        int[] ids = Arrays.copyOf(prompt, prompt.length + written.size());
        boolean[] trained = new boolean[ids.length];
        for (int i = 0; i < written.size(); i++) {
            ids[prompt.length + i] = written.get(i);
            trained[prompt.length + i] = true;
        }
        return new Sequence(ids, trained);
    }

    private static void check(double[] rewards, List<Rollout> rollouts) {
        if (rewards.length != rollouts.size()) {
            throw new IllegalArgumentException("The reward function must return a number for each of " + rollouts.size()
                    + " completions but returned " + rewards.length);
        }
        for (int i = 0; i < rewards.length; i++) {
            if (!Double.isFinite(rewards[i])) {
                throw new IllegalArgumentException("The reward of a completion of row "
                        + rollouts.get(i).row() + " must be finite but was " + rewards[i]
                        + "; return 0 for a completion that cannot be rated");
            }
        }
    }

    private void measure(double[] rewards, List<Rollout> rollouts, int group) {
        double deviation = 0;
        double equal = 0;
        int groups = rewards.length / group;
        for (int from = 0; from < rewards.length; from += group) {
            double own = Advantages.deviation(Arrays.copyOfRange(rewards, from, from + group));
            deviation += own / groups;
            equal += own == 0 ? 1.0 / groups : 0;
        }
        add("reward", Arrays.stream(rewards).average().orElse(0));
        add("reward_std", deviation);
        add("frac_reward_zero_std", equal);
        add(
                "completions/mean_length",
                rollouts.stream().mapToInt(Rollout::tokens).average().orElse(0));
        add(
                "completions/clipped_ratio",
                rollouts.stream()
                        .mapToInt(one -> one.isComplete() ? 0 : 1)
                        .average()
                        .orElse(0));
    }

    private void add(String name, double value) {
        metrics.merge(name, value, Double::sum);
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("pollux-rollouts");
        } catch (IOException e) {
            throw new StorageException("Cannot make a temporary folder for completions: " + e, e);
        }
    }

    private static void delete(Path folder) {
        try {
            WorkFolder.deleteTree(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }

    @Override
    public void close() {
        generator.close();
    }
}
