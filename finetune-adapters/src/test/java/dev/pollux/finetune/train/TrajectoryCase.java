package dev.pollux.finetune.train;

import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A training run of the reference tools.
 *
 * @param folder its folder
 * @param json its description
 */
record TrajectoryCase(Path folder, ObjectNode json) {

    static TrajectoryCase of(Path folder) {
        return new TrajectoryCase(
                folder, JsonFile.object(folder.resolve("case.json")).orElseThrow());
    }

    String name() {
        return json.path("name").asString("");
    }

    Path base() {
        return folder.resolve("../..").resolve(json.path("base").asString("")).normalize();
    }

    List<JsonNode> steps() {
        List<JsonNode> steps = new ArrayList<>();
        json.path("steps").forEach(steps::add);
        return steps;
    }

    boolean isPreference() {
        return !json.path("kind").asString("").equals("sft");
    }

    /** A reference of its own is the initial adapter. */
    boolean continues() {
        return name().endsWith("_continue");
    }

    Objective objective() {
        JsonNode o = json.path("objective");
        String type = o.path("loss_type").isArray()
                ? o.path("loss_type").path(0).asString("")
                : o.path("loss_type").asString("");
        return switch (json.path("kind").asString("")) {
            case "sft" -> type.equals("dft") ? Objective.dft() : Objective.sft();
            case "dpo" -> Objective.dpo(ObjectiveSettings.dpo(o));
            case "kto" -> Objective.kto(ObjectiveSettings.kto(o));
            case "orpo" -> Objective.orpo(o.path("beta").asDouble(0.1));
            case "cpo" -> Objective.cpo(ObjectiveSettings.cpo(o));
            case "bco" -> Objective.bco(o.path("beta").asDouble(0.1));
            default -> throw new IllegalArgumentException("unknown kind " + json.path("kind"));
        };
    }

    TrainingOptions options() {
        JsonNode optimizer = json.path("optimizer");
        JsonNode plus = optimizer.path("loraplus");
        double decay = plus.isObject()
                ? plus.path("loraplus_weight_decay").asDouble(0)
                : optimizer.path("weight_decay").asDouble(0);
        JsonNode scheduler = json.path("scheduler");
        Map<String, Object> settings = new TreeMap<>();
        scheduler
                .path("kwargs")
                .properties()
                .forEach(entry -> settings.put(
                        entry.getKey(),
                        entry.getValue().isNumber()
                                ? (Object) entry.getValue().asDouble(0)
                                : entry.getValue().asString("")));
        return TrainingOptions.builder()
                .optimizer(new Optimizer.AdamW(
                        optimizer.path("betas").path(0).asDouble(0),
                        optimizer.path("betas").path(1).asDouble(0),
                        optimizer.path("eps").asDouble(0),
                        decay,
                        true,
                        false))
                .learningRate(optimizer.path("lr").asDouble(0))
                .loraPlusRatio(plus.isObject() ? plus.path("loraplus_lr_ratio").asDouble(1) : 1)
                .schedule(LearningRateSchedule.named(scheduler.path("name").asString(""), settings))
                .maxGradientNorm(json.path("max_grad_norm").asDouble(0))
                .threads(1)
                .build();
    }

    LearningRate rates() {
        JsonNode scheduler = json.path("scheduler");
        TrainingOptions options = options();
        return new LearningRate(
                options.schedule(),
                options.learningRate(),
                scheduler.path("warmup_steps").asInt(0),
                scheduler.path("total_steps").asInt(0));
    }

    static List<MicroBatch> batches(JsonNode step) {
        List<MicroBatch> batches = new ArrayList<>();
        step.path("micro_batches").forEach(batch -> batches.add(batch(batch)));
        return batches;
    }

    private static MicroBatch batch(JsonNode batch) {
        List<Sequence> sequences = new ArrayList<>();
        if (batch.has("packed")) {
            packed(batch.path("packed"), sequences);
        }
        for (String part : List.of("sequences", "chosen", "rejected", "completions")) {
            batch.path(part).forEach(one -> sequences.add(sequence(one)));
        }
        boolean[] desirable = new boolean[batch.path("desirable").size()];
        for (int i = 0; i < desirable.length; i++) {
            desirable[i] = batch.path("desirable").path(i).asBoolean(false);
        }
        List<Sequence> mismatched = new ArrayList<>();
        batch.path("kl").forEach(one -> mismatched.add(sequence(one)));
        return new MicroBatch(sequences, desirable, mismatched);
    }

    private static void packed(JsonNode packed, List<Sequence> sequences) {
        int[] ids = ints(packed.path("input_ids"));
        int[] positions = ints(packed.path("position_ids"));
        boolean[] trained = trained(packed);
        int start = 0;
        for (int i = 1; i <= ids.length; i++) {
            if (i == ids.length || positions[i] == 0) {
                boolean[] own = new boolean[i - start];
                int[] part = new int[i - start];
                System.arraycopy(ids, start, part, 0, part.length);
                System.arraycopy(trained, start, own, 0, own.length);
                sequences.add(new Sequence(part, own));
                start = i;
            }
        }
    }

    private static Sequence sequence(JsonNode one) {
        return new Sequence(ints(one.path("input_ids")), trained(one));
    }

    private static boolean[] trained(JsonNode one) {
        boolean labels = one.has("labels");
        int[] marks = ints(one.path(labels ? "labels" : "completion_mask"));
        boolean[] trained = new boolean[marks.length];
        for (int i = 0; i < marks.length; i++) {
            trained[i] = labels ? marks[i] >= 0 : marks[i] != 0;
        }
        return trained;
    }

    static int[] ints(JsonNode list) {
        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.path(i).asInt(0);
        }
        return values;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
