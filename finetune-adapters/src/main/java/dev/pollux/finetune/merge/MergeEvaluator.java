package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.merge.MergeEvaluation.Sample;
import dev.pollux.finetune.merge.MergeEvaluation.Score;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.calibration.Perplexity;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePlan;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Compares the sources of a merge and its result on the user's own text.
 *
 * <p>A model with an adapter is merged into a temporary folder that is deleted after the evaluation. Models run one after
 * another. Each is exported first, as in {@link OnnxGenerator}.
 *
 * <pre>{@code
 * MergeEvaluation evaluation = MergeEvaluator.in(Path.of("models"), EvaluationOptions.DEFAULTS)
 *         .evaluate(List.of("writer", "coder", "merged"), Files.readString(Path.of("held-out.md")))
 *         .run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class MergeEvaluator {

    private final Path folder;
    private final EvaluationOptions options;

    private MergeEvaluator(Path folder, EvaluationOptions options) {
        this.folder = folder;
        this.options = options;
    }

    /** Returns an evaluator; model names are relative to {@code folder}. */
    public static MergeEvaluator in(Path folder, EvaluationOptions options) {
        return new MergeEvaluator(folder, options);
    }

    /** Returns the models that a plan reads, without duplicates, the base first. Results of stages are left out. */
    public static List<String> sources(MergePlan plan) {
        Set<String> names = new LinkedHashSet<>();
        List<MergePlan> plans = new ArrayList<>(plan.stages());
        plans.add(plan);
        plan.base().ifPresent(base -> names.add(base.toString()));
        for (MergePlan each : plans) {
            each.models().forEach(model -> names.add(model.toString()));
        }
        plan.stages().forEach(stage -> stage.name().ifPresent(names::remove));
        return List.copyOf(names);
    }

    /**
     * Compares models.
     *
     * @param models folders or GGUF files, or {@code model+adapter}
     * @param text to predict, of at least two tokens
     * @return a job that reports progress in tokens
     */
    public Job<MergeEvaluation> evaluate(List<String> models, String text) {
        return Job.of("evaluate", context -> {
            List<Outcome> outcomes = new ArrayList<>();
            for (String model : models) {
                context.checkCancelled();
                outcomes.add(evaluate(model, text, context));
            }
            List<Sample> samples = new ArrayList<>();
            for (int i = 0; i < options.prompts().size(); i++) {
                int prompt = i;
                samples.add(new Sample(
                        options.prompts().get(i),
                        outcomes.stream().map(of -> of.answers().get(prompt)).toList()));
            }
            return new MergeEvaluation(outcomes.stream().map(Outcome::score).toList(), samples);
        });
    }

    /** The result of one model. */
    private record Outcome(Score score, List<String> answers) {}

    private Outcome evaluate(String name, String text, JobContext context) {
        try (RunnableModel model = RunnableModel.of(name, folder, options.engine(), context);
                OnnxGenerator generator = context.run(OnnxGenerator.openJob(model.path(), model.engine()));
                Tokenizer tokenizer = tokenizer(model.path())) {
            Score score = score(name, generator, tokenizer.encode(text, true), tokenizer, context);
            List<String> answers = new ArrayList<>();
            for (String prompt : options.prompts()) {
                answers.add(answer(generator, prompt, context));
            }
            return new Outcome(score, answers);
        }
    }

    private String answer(OnnxGenerator generator, String prompt, JobContext context) {
        Prompt asked = generator.info().chat() ? Prompt.chat(Message.user(prompt)) : Prompt.text(prompt);
        GenerationOptions greedy =
                GenerationOptions.builder().maxTokens(options.sampleTokens()).build();
        try (GenerationStream stream = generator.stream(asked, greedy)) {
            Generation done = context.cancellable(stream::cancel, stream::result);
            context.checkCancelled();
            return done.text();
        }
    }

    private Score score(String name, OnnxGenerator generator, int[] ids, Tokenizer tokenizer, JobContext context) {
        long begin = System.nanoTime();
        int most = Math.min(ids.length, options.mostTokens());
        int window = Math.min(options.window(), generator.model().manifest().contextLength());
        double sum = 0;
        int tokens = 0;
        long bytes = 0;
        for (int from = 0; from + 1 < most; from += window) {
            context.checkCancelled();
            context.progress("evaluate " + name, from, most, "tokens");
            int[] some = Arrays.copyOfRange(ids, from, Math.min(most, from + window));
            if (some.length > 1) {
                Perplexity part = Perplexity.of(generator.model(), some, context.withoutProgress());
                sum += part.meanNll() * part.tokens();
                tokens += part.tokens();
                int[] predicted = Arrays.copyOfRange(some, 1, some.length);
                bytes += tokenizer.decode(predicted, true).getBytes(StandardCharsets.UTF_8).length;
            }
        }
        if (tokens == 0) {
            throw new IllegalArgumentException("the text must hold at least two tokens but holds " + ids.length);
        }
        context.progress("evaluate " + name, most, most, "tokens");
        double bits = sum / Math.log(2) / Math.max(1, bytes);
        return new Score(name, sum / tokens, tokens, bits, Duration.ofNanos(System.nanoTime() - begin));
    }

    /** The tokenizer of a checkpoint or of an exported folder. */
    private static Tokenizer tokenizer(Path path) {
        Path file = path.resolve("tokenizer.json");
        if (Files.isRegularFile(file)) {
            return Tokenizer.open(file);
        }
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return checkpoint
                    .tokenizer()
                    .orElseThrow(() -> new MalformedFileException(path + " has no tokenizer; add tokenizer.json"));
        }
    }
}
