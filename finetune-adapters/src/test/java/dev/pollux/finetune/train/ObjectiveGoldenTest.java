package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Losses, measures and gradients of objectives on the log-probabilities of the reference tools. */
class ObjectiveGoldenTest {

    private static final double EXACT = 1e-9;
    /** Where the tools calculate in 32 bits. */
    private static final double SINGLE = 1e-5;

    private static JsonNode golden(String name) {
        Path file = ReferenceData.golden("finetune/objectives").resolve(name + ".json");
        return JsonFile.object(file).orElseThrow();
    }

    private Stream<DynamicTest> tests(String kind) {
        List<DynamicTest> tests = new ArrayList<>();
        int at = 0;
        for (JsonNode set : golden(kind).path("sets")) {
            int number = at++;
            for (JsonNode one : set.path("cases")) {
                String name = number + " " + one.path("name").asString("") + " " + one.path("params");
                tests.add(DynamicTest.dynamicTest(name, () -> check(kind, set, one)));
            }
        }
        return tests.stream();
    }

    private static void check(String kind, JsonNode set, JsonNode one) {
        JsonNode params = one.path("params");
        Objective objective = switch (kind) {
            case "dpo" -> Objective.dpo(ObjectiveSettings.dpo(params));
            case "kto" -> Objective.kto(kto(one));
            case "orpo" -> Objective.orpo(params.path("beta").asDouble(0));
            case "cpo" -> Objective.cpo(ObjectiveSettings.cpo(params));
            default -> one.path("name").asString("").equals("dft") ? Objective.dft() : Objective.sft();
        };
        boolean whole = kind.equals("sft") && !params.path("completion_only").asBoolean(true);
        ScoredBatch batch = batch(set, objective.scoresPrompt(), whole);
        double items = params.path("num_items_in_batch").asDouble(Double.NaN);
        double tokens = Double.isNaN(items)
                ? batch.sequences().stream().mapToInt(ScoredSequence::length).sum()
                : items;
        BatchLoss found = objective.loss(batch, tokens, new RunningReward());
        boolean single =
                kind.equals("orpo") || params.path("precision").asString("").equals("float32");
        compare(found, one, batch, set, single ? SINGLE : EXACT);
    }

    private static KtoOptions kto(JsonNode one) {
        KtoOptions.Builder builder = ObjectiveSettings.kto(one.path("params")).toBuilder();
        return builder.loss(
                        one.path("name").asString("").equals("kto")
                                ? KtoOptions.Loss.KTO
                                : KtoOptions.Loss.APO_ZERO_UNPAIRED)
                .build();
    }

    private static void compare(BatchLoss found, JsonNode expected, ScoredBatch batch, JsonNode set, double tolerance) {
        double loss = expected.path("loss").asDouble(Double.NaN);
        assertThat(found.loss()).isCloseTo(loss, within(tolerance * Math.max(1, Math.abs(loss))));
        for (Map.Entry<String, JsonNode> metric : expected.path("metrics").properties()) {
            Double own = found.metrics().get(metric.getKey());
            if (own != null) {
                double value = metric.getValue().asDouble(Double.NaN);
                assertThat(own).as(metric.getKey()).isCloseTo(value, within(1e-5 * Math.max(1, Math.abs(value))));
            }
        }
        for (int row = 0; row < batch.sequences().size(); row++) {
            JsonNode gradients = expected.path("dloss_dlogp").path(row);
            double[] own = found.gradients().get(row);
            int at = 0;
            for (int t = 0; t < gradients.size(); t++) {
                double value = gradients.path(t).asDouble(Double.NaN);
                boolean scored = isScored(set, row, t + 1, batch.sequences().get(row));
                double mine = scored ? own[at++] : 0;
                assertThat(mine).as("gradient of row %d, token %d", row, t).isCloseTo(value, within(tolerance));
            }
        }
    }

    private static boolean isScored(JsonNode set, int row, int token, ScoredSequence sequence) {
        long attended = count(set.path("attention_mask").path(row));
        boolean all = sequence.tokens() == attended - 1;
        return set.path(all ? "attention_mask" : "completion_mask")
                        .path(row)
                        .path(token)
                        .asInt(0)
                == 1;
    }

    private static long count(JsonNode mask) {
        long count = 0;
        for (JsonNode one : mask) {
            count += one.asInt(0);
        }
        return count;
    }

    private static ScoredBatch batch(JsonNode set, boolean prompts, boolean whole) {
        boolean[] desirable = new boolean[set.path("desirable").size()];
        for (int i = 0; i < desirable.length; i++) {
            desirable[i] = set.path("desirable").path(i).asBoolean(false);
        }
        List<ScoredSequence> mismatched = set.has("kl_input_ids") ? sequences(set, "kl_", false, false) : List.of();
        return new ScoredBatch(sequences(set, "", prompts, whole), desirable, mismatched);
    }

    private static List<ScoredSequence> sequences(JsonNode set, String prefix, boolean prompts, boolean whole) {
        List<ScoredSequence> all = new ArrayList<>();
        int rows = set.path(prefix + "input_ids").size();
        for (int row = 0; row < rows; row++) {
            List<Integer> tokens = new ArrayList<>();
            JsonNode mask = set.path(prefix + "completion_mask").path(row);
            JsonNode attention = set.path(prefix + "attention_mask").path(row);
            for (int t = 1; t < mask.size(); t++) {
                if (attention.path(t).asInt(0) == 1
                        && (prompts || whole || mask.path(t).asInt(0) == 1)) {
                    tokens.add(t);
                }
            }
            boolean[] completion = new boolean[tokens.size()];
            for (int i = 0; i < completion.length; i++) {
                completion[i] = whole || mask.path(tokens.get(i)).asInt(0) == 1;
            }
            JsonNode logits = prefix.isEmpty() ? set.path("policy_logits").path(row) : JsonNode.missing();
            all.add(new ScoredSequence(
                    values(set.path(prefix + "policy_logps").path(row), tokens),
                    values(set.path(prefix + "ref_logps").path(row), tokens),
                    measures(logits, row(set, prefix, row), tokens, ObjectiveGoldenTest::entropy),
                    measures(logits, row(set, prefix, row), tokens, (z, label) -> mean(z)),
                    measures(logits, row(set, prefix, row), tokens, ObjectiveGoldenTest::hit),
                    measures(logits, row(set, prefix, row), tokens, (z, label) -> collision(z)),
                    completion));
        }
        return all;
    }

    private static double[] values(JsonNode row, List<Integer> tokens) {
        return tokens.stream().mapToDouble(t -> row.path(t - 1).asDouble(0)).toArray();
    }

    private static JsonNode row(JsonNode set, String prefix, int row) {
        return set.path(prefix + "input_ids").path(row);
    }

    /** Of the logits that predict each token; zeros where the set has no logits. */
    private static double[] measures(
            JsonNode logits, JsonNode ids, List<Integer> tokens, BiFunction<double[], Integer, Double> measure) {
        return tokens.stream()
                .mapToDouble(t -> {
                    JsonNode row = logits.path(t - 1);
                    double[] z = new double[row.size()];
                    for (int i = 0; i < z.length; i++) {
                        z[i] = row.path(i).asDouble(0);
                    }
                    return z.length == 0 ? 0 : measure.apply(z, ids.path(t).asInt(0));
                })
                .toArray();
    }

    private static double[] shares(double[] z) {
        double sum = Arrays.stream(z).map(Math::exp).sum();
        return Arrays.stream(z).map(value -> Math.exp(value) / sum).toArray();
    }

    private static double entropy(double[] z, int label) {
        return -Arrays.stream(shares(z)).map(p -> p * Math.log(p)).sum();
    }

    private static double mean(double[] z) {
        return Arrays.stream(z).average().orElse(0);
    }

    private static double hit(double[] z, int label) {
        return z[label] == Arrays.stream(z).max().orElse(0) ? 1 : 0;
    }

    private static double collision(double[] z) {
        return Arrays.stream(shares(z)).map(p -> p * p).sum();
    }

    @TestFactory
    Stream<DynamicTest> sftAndDft() {
        return tests("sft");
    }

    @TestFactory
    Stream<DynamicTest> dpo() {
        return tests("dpo");
    }

    @TestFactory
    Stream<DynamicTest> kto() {
        return tests("kto");
    }

    @TestFactory
    Stream<DynamicTest> orpo() {
        return tests("orpo");
    }

    @TestFactory
    Stream<DynamicTest> cpo() {
        return tests("cpo");
    }

    /** The running mean goes from batch to batch. */
    @TestFactory
    Stream<DynamicTest> bco() {
        List<DynamicTest> tests = new ArrayList<>();
        int at = 0;
        for (JsonNode stream : golden("bco").path("streams")) {
            tests.add(DynamicTest.dynamicTest("stream " + at++, () -> {
                Objective objective = Objective.bco(stream.path("beta").asDouble(0));
                RunningReward running = new RunningReward();
                for (JsonNode one : stream.path("batches_in_order")) {
                    ScoredBatch batch = batch(one, false, false);
                    compare(objective.loss(batch, 1, running), one, batch, one, SINGLE);
                    assertThat(running.mean())
                            .isCloseTo(one.path("metrics").path("delta").asDouble(Double.NaN), within(SINGLE));
                }
            }));
        }
        return tests.stream();
    }
}
