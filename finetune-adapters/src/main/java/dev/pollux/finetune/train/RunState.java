package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.finetune.train.TrainingReport.Evaluation;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** Saves a run between two steps, so that it continues with the same bits. <em>Confined to one thread.</em> */
final class RunState {

    /*
     * Folder <out>.checkpoints/step-N, which appears as a whole:
     *
     *   parameters.safetensors   the values of each parameter, and the optimizer's moments as "name|moment", all 32-bit floats
     *   best.safetensors         the values of each parameter at the best evaluation, if there was one and it is kept
     *   state.json               step, tokens, time, the optimizer's steps, the schedule's and the objective's memory as hexadecimal
     *                            floats, the evaluation before the first step and the best one, and the digest of the run's settings
     *
     * The order of rows follows from the seed and the step, so no random state is stored. Earlier folders are deleted after a
     * new one is complete.
     */

    private static final String VALUES = "parameters.safetensors";
    private static final String BEST = "best.safetensors";
    private static final String STATE = "state.json";
    private static final String STEP = "step-";

    private final Path folder;
    private final String digest;

    /**
     * Numbers of a run.
     *
     * @param elapsed the time so far, over all parts of the run
     * @param losses of the steps so far
     */
    record Progress(long step, long tokens, Duration elapsed, List<Double> losses) {}

    RunState(Path out, String digest) {
        Path whole = out.toAbsolutePath().normalize();
        this.folder = whole.resolveSibling(whole.getFileName() + ".checkpoints");
        this.digest = digest;
    }

    void save(
            Progress progress,
            Trainables trainables,
            StepRunner<?> runner,
            LearningRate rate,
            Evaluations evaluations) {
        WorkFolder.publish(folder.resolve(STEP + progress.step()), JobContext.NONE, work -> {
            List<String> names = new ArrayList<>();
            runner.states().forEach((name, state) -> {
                names.add(name);
                state.moments().keySet().forEach(moment -> names.add(name + "|" + moment));
            });
            try (SafetensorsWriter file = SafetensorsWriter.create(work.resolve(VALUES), names)) {
                for (Parameter parameter : trainables.parameters()) {
                    put(file, parameter.name(), parameter.values());
                    state(runner, parameter)
                            .moments()
                            .forEach((moment, values) -> put(file, parameter.name() + "|" + moment, values));
                }
                file.finish();
            }
            best(work, evaluations.values());
            JsonFile.write(work.resolve(STATE), json(progress, runner, rate, evaluations));
            return folder;
        });
        steps().filter(step -> step != progress.step()).forEach(this::delete);
    }

    private static void best(Path work, Map<String, float[]> values) {
        if (!values.isEmpty()) {
            try (SafetensorsWriter file = SafetensorsWriter.create(work.resolve(BEST), List.copyOf(values.keySet()))) {
                values.forEach((name, kept) -> put(file, name, kept));
                file.finish();
            }
        }
    }

    private static OptimizerState state(StepRunner<?> runner, Parameter parameter) {
        return Optional.ofNullable(runner.states().get(parameter.name())).orElseThrow();
    }

    private static void put(SafetensorsWriter file, String name, float[] values) {
        file.put(name, DType.F32, List.of((long) values.length), values);
    }

    private JsonNode json(Progress progress, StepRunner<?> runner, LearningRate rate, Evaluations evaluations) {
        ObjectNode json = new ObjectNode();
        json.put("digest", digest);
        json.put("global_step", progress.step());
        json.put("num_tokens", progress.tokens());
        json.put("nanoseconds", progress.elapsed().toNanos());
        json.put("schedule", hex(rate.state()));
        json.put("running_reward", hex(runner.running().mean(), runner.running().count()));
        json.put(
                "losses",
                hex(progress.losses().stream().mapToDouble(Double::doubleValue).toArray()));
        json.put("evaluation_before", hex(evaluations.before()));
        json.put("best_evaluation", hex(evaluations.best().found()));
        json.put("best_step", evaluations.best().step());
        json.put("evaluations_since_best", evaluations.best().worse());
        ObjectNode steps = json.putObject("optimizer_steps");
        runner.states().forEach((name, state) -> steps.put(name, state.step()));
        return json;
    }

    /** The loss and the accuracy; not a number where there is none. */
    private static String hex(Evaluation found) {
        return hex(found.loss().orElse(Double.NaN), found.rewardAccuracy().orElse(Double.NaN));
    }

    private static Evaluation evaluation(JsonNode text) {
        double[] values = doubles(text);
        return values.length < 2 ? Evaluation.NONE : new Evaluation(optional(values[0]), optional(values[1]));
    }

    private static OptionalDouble optional(double value) {
        return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
    }

    private static String hex(double... values) {
        StringBuilder text = new StringBuilder();
        for (double value : values) {
            text.append(text.length() == 0 ? "" : " ").append(Double.toHexString(value));
        }
        return text.toString();
    }

    private static double[] doubles(JsonNode text) {
        return Stream.of(text.asString("").split(" "))
                .filter(value -> !value.isEmpty())
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    /**
     * Continues the newest saved run.
     *
     * @return empty if there is none
     * @throws MalformedFileException if it is one of other settings
     */
    Optional<Progress> restore(
            Trainables trainables, StepRunner<?> runner, LearningRate rate, Evaluations evaluations) {
        Optional<Long> newest = steps().max(Comparator.naturalOrder());
        if (newest.isEmpty()) {
            return Optional.empty();
        }
        Path from = folder.resolve(STEP + newest.get());
        ObjectNode json = JsonFile.object(from.resolve(STATE))
                .orElseThrow(() -> new MalformedFileException(from + " has no " + STATE + "; delete the folder"));
        if (!json.path("digest").asString("").equals(digest)) {
            throw new MalformedFileException(from + " belongs to a run with other data or options; delete " + folder
                    + " to begin anew, or give the options of that run");
        }
        try (SafetensorsFile file = SafetensorsFile.open(from.resolve(VALUES))) {
            for (Parameter parameter : trainables.parameters()) {
                float[] values = file.floats(parameter.name());
                System.arraycopy(values, 0, parameter.values(), 0, values.length);
                Map<String, float[]> moments = new LinkedHashMap<>();
                String prefix = parameter.name() + "|";
                file.tensors().keySet().stream()
                        .filter(name -> name.startsWith(prefix))
                        .forEach(name -> moments.put(name.substring(prefix.length()), file.floats(name)));
                state(runner, parameter)
                        .restore(
                                json.path("optimizer_steps")
                                        .path(parameter.name())
                                        .asLong(0),
                                moments);
            }
        }
        evaluations.restore(
                evaluation(json.path("evaluation_before")),
                new Evaluations.Best(json.path("best_step").asLong(0), evaluation(json.path("best_evaluation")), (int)
                        json.path("evaluations_since_best").asLong(0)),
                best(from));
        rate.restore(doubles(json.path("schedule")));
        double[] reward = doubles(json.path("running_reward"));
        runner.running().restore(reward[0], reward[1]);
        List<Double> losses = new ArrayList<>();
        for (double loss : doubles(json.path("losses"))) {
            losses.add(loss);
        }
        return Optional.of(new Progress(
                json.path("global_step").asLong(0),
                json.path("num_tokens").asLong(0),
                Duration.ofNanos(json.path("nanoseconds").asLong(0)),
                losses));
    }

    private static Map<String, float[]> best(Path from) {
        if (!Files.exists(from.resolve(BEST))) {
            return Map.of();
        }
        Map<String, float[]> values = new LinkedHashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(from.resolve(BEST))) {
            file.tensors().keySet().forEach(name -> values.put(name, file.floats(name)));
        }
        return values;
    }

    private Stream<Long> steps() {
        if (!Files.isDirectory(folder)) {
            return Stream.empty();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries
                    .map(path -> String.valueOf(path.getFileName()))
                    .filter(name -> name.matches(STEP + "\\d{1,18}"))
                    .map(name -> Long.valueOf(name.substring(STEP.length())))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
    }

    private void delete(long step) {
        Path old = folder.resolve(STEP + step);
        deleteAll(old);
    }

    /** Deletes all saved states, after the run has ended. */
    void clear() {
        if (Files.isDirectory(folder)) {
            deleteAll(folder);
        }
    }

    private static void deleteAll(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + folder + ": " + e, e);
        }
    }
}
