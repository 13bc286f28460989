package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Losses and gradients of rewarded completions are those of TRL. */
class GrpoGoldenTest {

    private static final double EXACT = 1e-9;
    /** TRL takes the quantile of entropies and the kernel of sequences in 32 bits. */
    private static final double METRIC = 1e-5;

    private static JsonNode golden() {
        return JsonFile.object(ReferenceData.golden("finetune/objectives").resolve("grpo.json"))
                .orElseThrow();
    }

    private static GrpoOptions options(JsonNode params) {
        GrpoOptions.Builder options = GrpoOptions.builder()
                .loss(GrpoOptions.Loss.valueOf(
                        params.path("loss_type").asString("").toUpperCase(Locale.ROOT)))
                .sequenceRatios(
                        params.path("importance_sampling_level").asString("").equals("sequence"))
                .beta(params.path("beta").asDouble(0))
                .epsilon(params.path("epsilon").asDouble(0))
                .epsilonHigh(params.path("epsilon_high").asDouble(0))
                .delta(params.path("delta").asDouble(0))
                .correctedDivergence(params.path("use_bias_correction_kl").asBoolean(true))
                .maxTokens(params.path("max_completion_length").asInt(1))
                .entropyShare(params.path("top_entropy_quantile").asDouble(1));
        if (params.hasNonNull("off_policy_mask_threshold")) {
            options.offPolicyThreshold(params.path("off_policy_mask_threshold").asDouble(0));
        }
        return options.build();
    }

    private static double[] row(JsonNode rows, int row) {
        double[] values = new double[rows.path(row).size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rows.path(row).path(i).asDouble(0);
        }
        return values;
    }

    private static ScoredBatch batch(JsonNode set, boolean old) {
        List<ScoredSequence> sequences = new ArrayList<>();
        List<double[]> before = new ArrayList<>();
        int count = set.path("logps").size();
        double[] advantages = new double[count];
        for (int i = 0; i < count; i++) {
            double[] mask = row(set.path("mask"), i);
            boolean[] completion = new boolean[mask.length];
            for (int t = 0; t < mask.length; t++) {
                completion[t] = mask[t] == 1;
            }
            double[] none = new double[mask.length];
            sequences.add(new ScoredSequence(
                    row(set.path("logps"), i),
                    row(set.path("ref_logps"), i),
                    row(set.path("entropies"), i),
                    none,
                    none,
                    none,
                    completion));
            before.add(row(set.path("old_logps"), i));
            advantages[i] = set.path("advantages").path(i).asDouble(0);
        }
        return new ScoredBatch(
                sequences, new boolean[0], List.of(), advantages, new double[0], old ? before : List.of());
    }

    private static void check(JsonNode set, JsonNode one) {
        JsonNode params = one.path("params");
        GrpoOptions options = options(params);
        Objective objective = Objective.grpo(rollouts -> new double[rollouts.size()], options);
        double accumulation = params.path("grad_accum").asDouble(1);
        double tokens = params.path("num_items_in_batch").asDouble(1)
                * accumulation
                / params.path("steps_per_generation").asDouble(1);
        double share = objective.isPerToken() ? 1 : 1 / accumulation;
        ScoredBatch batch = batch(set, params.path("old_logps_given").asBoolean(true));
        BatchLoss found = objective.loss(batch, tokens, new RunningReward());
        assertThat(found.loss() * share).isCloseTo(one.path("loss").asDouble(Double.NaN), within(EXACT));
        for (int i = 0; i < batch.sequences().size(); i++) {
            double[] expected = row(one.path("dloss_dlogp"), i);
            for (int t = 0; t < expected.length; t++) {
                assertThat(found.gradients().get(i)[t] * share)
                        .as("gradient of row %d, token %d", i, t)
                        .isCloseTo(expected[t], within(EXACT));
            }
        }
        for (Map.Entry<String, JsonNode> metric : one.path("metrics").properties()) {
            Double own = found.metrics().get(metric.getKey());
            if (own != null) {
                assertThat(own).as(metric.getKey()).isCloseTo(metric.getValue().asDouble(Double.NaN), within(METRIC));
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> losses() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode set : golden().path("sets")) {
            for (JsonNode one : set.path("cases")) {
                String name = tests.size() + " " + one.path("name").asString("") + " " + one.path("params");
                tests.add(DynamicTest.dynamicTest(name, () -> check(set, one)));
            }
        }
        return tests.stream();
    }

    @TestFactory
    Stream<DynamicTest> advantages() {
        List<DynamicTest> tests = new ArrayList<>();
        Map<String, GrpoOptions.Scaling> names = Map.of(
                "group",
                GrpoOptions.Scaling.GROUP,
                "batch",
                GrpoOptions.Scaling.BATCH,
                "none",
                GrpoOptions.Scaling.NONE,
                "rloo",
                GrpoOptions.Scaling.LEAVE_ONE_OUT);
        for (JsonNode one : golden().path("advantages")) {
            double[] rewards = values(one.path("rewards"));
            int group = one.path("group_size").asInt(2);
            names.forEach((name, scaling) -> tests.add(DynamicTest.dynamicTest(tests.size() + " " + name, () -> {
                double[] own = Advantages.of(rewards, group, scaling);
                double[] expected = values(one.path(name));
                assertThat(Arrays.stream(own).boxed().toList()).hasSize(expected.length);
                for (int i = 0; i < own.length; i++) {
                    assertThat(own[i]).isCloseTo(expected[i], within(EXACT));
                }
            })));
        }
        return tests.stream();
    }

    private static double[] values(JsonNode list) {
        double[] values = new double[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.path(i).asDouble(0);
        }
        return values;
    }
}
