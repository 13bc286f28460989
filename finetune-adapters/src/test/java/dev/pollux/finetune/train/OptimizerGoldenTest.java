package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Optimizers and schedules step by step against the libraries that define them. */
class OptimizerGoldenTest {

    /** Values and moments are stored in 32 bits; relative to the largest change. */
    private static final double TOLERANCE = 2e-6;

    private static final double RATE = 1e-12;

    private static Stream<JsonNode> cases(String name) {
        List<JsonNode> cases = new ArrayList<>();
        JsonFile.object(ReferenceData.golden("finetune/optim").resolve(name + ".json"))
                .orElseThrow()
                .path("cases")
                .forEach(cases::add);
        return cases.stream();
    }

    private static float[] flat(JsonNode matrix) {
        List<Float> values = new ArrayList<>();
        for (JsonNode row : matrix) {
            if (row.isArray()) {
                row.forEach(value -> values.add((float) value.asDouble(0)));
            } else {
                values.add((float) row.asDouble(0));
            }
        }
        float[] flat = new float[values.size()];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = values.get(i);
        }
        return flat;
    }

    private static Optimizer optimizer(String name, JsonNode o) {
        double decay = o.path("weight_decay").asDouble(0);
        double beta1 = o.path("betas").path(0).asDouble(0);
        double beta2 = o.path("betas").path(1).asDouble(0);
        return switch (name) {
            case "adamw", "adam" ->
                new Optimizer.AdamW(
                        beta1,
                        beta2,
                        o.path("eps").asDouble(0),
                        decay,
                        name.equals("adamw"),
                        o.path("amsgrad").asBoolean(false));
            case "lion" -> new Optimizer.Lion(beta1, beta2, decay);
            case "sgd" ->
                new Optimizer.Sgd(
                        o.path("momentum").asDouble(0),
                        o.path("dampening").asDouble(0),
                        decay,
                        o.path("nesterov").asBoolean(false));
            case "adafactor" ->
                new Optimizer.Adafactor(
                        o.path("eps").path(0).asDouble(0),
                        o.path("eps").path(1).asDouble(0),
                        o.path("clip_threshold").asDouble(1),
                        o.path("decay_rate").asDouble(-0.8),
                        o.path("beta1").asDouble(0),
                        decay,
                        o.path("scale_parameter").asBoolean(false),
                        o.path("relative_step").asBoolean(false),
                        o.path("warmup_init").asBoolean(false));
            case "adafactor_torch" ->
                new Optimizer.ScaledAdafactor(
                        o.path("beta2_decay").asDouble(-0.8),
                        o.path("eps").path(1).asDouble(1e-3),
                        o.path("d").asDouble(1),
                        decay);
            default -> throw new IllegalArgumentException("unknown optimizer " + name);
        };
    }

    private static final Set<String> KNOWN = Set.of("adamw", "adam", "lion", "sgd", "adafactor", "adafactor_torch");

    @TestFactory
    Stream<DynamicTest> optimizersStepAsTheirLibraries() {
        return cases("optimizers")
                .filter(one -> KNOWN.contains(one.path("name").asString("")))
                .map(one -> DynamicTest.dynamicTest(
                        one.path("name").asString("") + " " + one.path("given") + " " + one.path("shape"),
                        () -> checkOptimizer(one)));
    }

    private static void checkOptimizer(JsonNode one) {
        JsonNode settings = one.path("effective");
        Optimizer optimizer = optimizer(one.path("name").asString(""), settings);
        List<Long> shape = new ArrayList<>();
        one.path("shape").forEach(size -> shape.add((long) size.asInt(0)));
        OptimizerState state = new OptimizerState(optimizer, shape);
        float[] values = flat(one.path("start"));
        for (int step = 0; step < one.path("gradients").size(); step++) {
            float[] gradient = flat(one.path("gradients").path(step));
            state.step(values, gradient, settings.path("lr").asDouble(0), optimizer.weightDecay());
            float[] expected = flat(one.path("after_step_float64").path(step));
            for (int i = 0; i < values.length; i++) {
                assertThat((double) values[i])
                        .as("step %d, element %d", step, i)
                        .isCloseTo(expected[i], within(TOLERANCE * Math.max(1, Math.abs(expected[i]))));
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> schedulesGoAsThoseOfTransformers() {
        return cases("schedulers")
                .map(one -> DynamicTest.dynamicTest(
                        one.path("name").asString("") + " " + one.path("warmup_steps") + " " + one.path("kwargs"),
                        () -> checkSchedule(one)));
    }

    private static void checkSchedule(JsonNode one) {
        Map<String, Object> settings = new TreeMap<>();
        one.path("kwargs")
                .properties()
                .forEach(entry -> settings.put(
                        entry.getKey(),
                        entry.getValue().isNumber()
                                ? (Object) entry.getValue().asDouble(0)
                                : entry.getValue().asString("")));
        String name = one.path("name").asString("");
        double base = one.path("lr").asDouble(0);
        LearningRate rate = new LearningRate(
                LearningRateSchedule.named(name, settings),
                base,
                one.path("warmup_steps").asInt(0),
                one.path("total_steps").asInt(0));
        JsonNode losses = one.path("metric_after_step");
        for (int step = 0; step < one.path("lr_of_step").size(); step++) {
            assertThat(base * rate.share(step))
                    .as("step %d", step)
                    .isCloseTo(one.path("lr_of_step").path(step).asDouble(0), within(RATE));
            if (losses.size() > step) {
                rate.loss(losses.path(step).asDouble(0));
            }
        }
    }

    @Test
    void anUnknownScheduleIsRefusedWithTheKnownOnes() {
        assertThatThrownBy(() -> LearningRateSchedule.named("cosinus", Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the schedule must be one of linear, cosine, cosine_with_restarts, polynomial, constant,"
                        + " constant_with_warmup, inverse_sqrt, cosine_with_min_lr, cosine_warmup_with_min_lr,"
                        + " warmup_stable_decay, reduce_lr_on_plateau, greedy but was cosinus");
    }
}
