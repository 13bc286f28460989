package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.internal.math.EvolutionStrategy;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.ModelMerger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Searches plan parameters that maximize a caller-supplied score of the merged model, by CMA-ES (arXiv 1604.00772; for merging,
 * Akiba et al., "Evolutionary optimization of model merging recipes", arXiv 2403.13187).
 *
 * <p>Each evaluation merges into a folder, scores it and deletes it. All scores are stored in {@code search.jsonl} in the work
 * folder. A cancelled or killed search resumes after the last stored score if it is run again with the same parameters, ranges
 * and seed.
 *
 * <pre>{@code
 * PlanSearch.Result best = PlanSearch.with(CheckpointMerger.in(models))
 *         .parameter("writer", 0, 1)
 *         .parameter("coder", 0, 1)
 *         .plan(values -> MergePlan.builder("task_arithmetic")
 *                 .base("base")
 *                 .model("writer", Map.of("weight", LayerSchedule.of(values.get("writer"))))
 *                 .model("coder", Map.of("weight", LayerSchedule.of(values.get("coder"))))
 *                 .build())
 *         .score(folder -> -perplexity(folder))
 *         .evaluations(40)
 *         .search(Path.of("search"))
 *         .run();
 * }</pre>
 *
 * <p><em>Not thread-safe: one thread at a time.</em>
 */
public final class PlanSearch {
    /*
     * CMA-ES works in [0, 1]^n, mapped linearly to the ranges; points outside are mirrored at the bounds. The strategy is a
     * function of the seed and the scores, so a resumed search replays it with the stored scores instead of storing its
     * state. A stored evaluation is used only if its parameter values equal those that the strategy asks for; at the first
     * difference the rest of the log is discarded. NaN is stored like any score and never selected as the best.
     */

    private static final int DEFAULT_EVALUATIONS = 50;
    private static final int MAX_PARAMETERS = 200;

    private final ModelMerger merger;
    private final Map<String, double[]> ranges = new LinkedHashMap<>();
    private Function<Map<String, Double>, MergePlan> plan = values -> {
        throw new IllegalArgumentException("plan must be given: a function from parameters to a plan");
    };
    private ToDoubleFunction<Path> score = folder -> {
        throw new IllegalArgumentException("score must be given: a function from a merged folder to a number");
    };
    private int evaluations = DEFAULT_EVALUATIONS;
    private long seed;

    private PlanSearch(ModelMerger merger) {
        this.merger = merger;
    }

    /** Returns a search that merges with {@code merger}. */
    public static PlanSearch with(ModelMerger merger) {
        return new PlanSearch(merger);
    }

    /** Adds a parameter with the range [{@code from}, {@code to}]; the search begins at the midpoint. */
    public PlanSearch parameter(String name, double from, double to) {
        if (!(from < to) || Double.isInfinite(to - from)) {
            throw new IllegalArgumentException(
                    "range of " + name + " must go from a number to a larger one but was [" + from + ", " + to + "]");
        }
        ranges.put(name, new double[] {from, to});
        if (ranges.size() > MAX_PARAMETERS) {
            throw new IllegalArgumentException("a search takes at most " + MAX_PARAMETERS + " parameters");
        }
        return this;
    }

    /** Sets the function from parameter values, by name, to a plan. */
    public PlanSearch plan(Function<Map<String, Double>, MergePlan> plan) {
        this.plan = plan;
        return this;
    }

    /** Sets the score of a merged folder; higher is better, NaN is worst. */
    public PlanSearch score(ToDoubleFunction<Path> score) {
        this.score = score;
        return this;
    }

    /** Sets the total number of models to merge and score, ≥ 1; default 50. */
    public PlanSearch evaluations(int evaluations) {
        if (evaluations < 1) {
            throw new IllegalArgumentException("evaluations must be at least 1 but was " + evaluations);
        }
        this.evaluations = evaluations;
        return this;
    }

    /** Sets the seed of the search; default 0. */
    public PlanSearch seed(long seed) {
        this.seed = seed;
        return this;
    }

    /**
     * Runs the search. {@code work} contains one merged model at a time.
     *
     * @param work a folder; created if it does not exist
     */
    public Job<Result> search(Path work) {
        if (ranges.isEmpty()) {
            throw new IllegalArgumentException("parameters must not be empty; add at least one to search");
        }
        return Job.of("search", context -> run(work, context));
    }

    /**
     * The result of a search. <em>Immutable.</em>
     *
     * @param best the best parameter values, by name
     * @param plan the plan with these values
     * @param yaml the plan in the format of {@link MergekitYaml}
     * @param score the score of the plan
     * @param history all evaluations, in order
     */
    public record Result(
            Map<String, Double> best, MergePlan plan, String yaml, double score, List<Evaluation> history) {
        public Result {
            best = Collections.unmodifiableMap(new LinkedHashMap<>(best));
            history = List.copyOf(history);
        }
    }

    /** One merged model. <em>Immutable.</em> */
    public record Evaluation(Map<String, Double> values, double score) {
        public Evaluation {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        }
    }

    private Result run(Path work, JobContext context) {
        List<Evaluation> known = read(work);
        List<Evaluation> history = new ArrayList<>();
        double[] start = new double[ranges.size()];
        Arrays.fill(start, 0.5);
        EvolutionStrategy strategy = new EvolutionStrategy(start, seed);
        while (history.size() < evaluations) {
            double[][] points = strategy.ask();
            double[] scores = new double[points.length];
            Arrays.fill(scores, Double.NaN);
            for (int i = 0; i < points.length && history.size() < evaluations; i++) {
                context.checkCancelled();
                context.progress("search", history.size(), evaluations, "models");
                Map<String, Double> values = values(points[i]);
                int at = history.size();
                boolean earlier = at < known.size() && known.get(at).values().equals(values);
                Evaluation evaluation = earlier ? known.get(at) : evaluated(values, work, context);
                if (!earlier) {
                    known = history; // another search: ignore the remaining lines
                }
                history.add(evaluation);
                scores[i] = evaluation.score();
                if (!earlier) {
                    write(work, history);
                }
            }
            strategy.tell(points, scores);
        }
        context.progress("search", evaluations, evaluations, "models");
        Evaluation best = history.stream()
                .filter(evaluation -> !Double.isNaN(evaluation.score()))
                .reduce((a, b) -> b.score() > a.score() ? b : a)
                .orElseThrow(() -> new IllegalArgumentException(
                        "no evaluation has a score that is a number; look at the score function"));
        MergePlan found = plan.apply(best.values());
        return new Result(best.values(), found, PlanWriter.yaml(PlanWriter.documents(found)), best.score(), history);
    }

    private Map<String, Double> values(double[] point) {
        Map<String, Double> values = new LinkedHashMap<>();
        int i = 0;
        for (Map.Entry<String, double[]> range : ranges.entrySet()) {
            double[] ends = range.getValue();
            values.put(range.getKey(), ends[0] + EvolutionStrategy.mirrored(point[i++]) * (ends[1] - ends[0]));
        }
        return values;
    }

    private Evaluation evaluated(Map<String, Double> values, Path work, JobContext context) {
        Path target = work.resolve("candidate");
        delete(target);
        try {
            context.run(merger.merge(plan.apply(Collections.unmodifiableMap(values)), target));
            return new Evaluation(values, score.applyAsDouble(target));
        } finally {
            delete(target);
        }
    }

    private static void delete(Path folder) {
        try {
            WorkFolder.deleteTree(folder);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }

    private static Path log(Path work) {
        return work.resolve("search.jsonl");
    }

    private static void write(Path work, List<Evaluation> history) {
        StringBuilder text = new StringBuilder();
        for (Evaluation evaluation : history) {
            ObjectNode line = new ObjectNode();
            ObjectNode values = line.putObject("values");
            evaluation.values().forEach(values::put);
            if (Double.isFinite(evaluation.score())) {
                line.put("score", evaluation.score());
            } else {
                line.put("score", Double.toString(evaluation.score()));
            }
            text.append(line).append('\n');
        }
        try {
            Files.createDirectories(work);
            Path next = work.resolve("search.jsonl.part");
            Files.writeString(
                    next,
                    text,
                    StandardCharsets.UTF_8,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE);
            Files.move(next, log(work), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new StorageException("Cannot write the scores in " + work + ": " + e, e);
        }
    }

    private static List<Evaluation> read(Path work) {
        List<Evaluation> known = new ArrayList<>();
        if (!Files.isRegularFile(log(work))) {
            return known;
        }
        try {
            for (String line : Files.readAllLines(log(work))) {
                JsonNode json = JsonNode.parse(line);
                Map<String, Double> values = new LinkedHashMap<>();
                json.path("values")
                        .properties()
                        .forEach(value ->
                                values.put(value.getKey(), value.getValue().asDouble(0)));
                JsonNode score = json.path("score");
                known.add(new Evaluation(
                        values, score.isNumber() ? score.asDouble() : Double.parseDouble(score.asString("NaN"))));
            }
            return known;
        } catch (IOException e) {
            throw new StorageException("Cannot read " + log(work) + ": " + e, e);
        } catch (MalformedFileException | NumberFormatException e) {
            throw new MalformedFileException(log(work) + " is not the log of a search; delete it", e);
        }
    }
}
