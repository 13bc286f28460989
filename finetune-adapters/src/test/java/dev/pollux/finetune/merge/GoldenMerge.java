package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.inference.template.ChatTemplate;
import dev.pollux.internal.math.Float16;
import dev.pollux.merging.MergeReport;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TypeNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** One merge beside the reference tool's. */
record GoldenMerge(
        Path models,
        Path folder,
        ObjectNode expected,
        MergeReport report,
        Path target,
        SafetensorsFolder ours,
        SafetensorsFolder theirs) {

    /** Cosines come from sums of another order. */
    private static final double FACT_TOLERANCE = 1e-5;

    void checkNamesShapesAndFiles() {
        Map<String, String> wanted = new TreeMap<>();
        expected.path("tensors").properties().forEach(entry -> {
            JsonNode tensor = entry.getValue();
            boolean skipped = expected.path("skip_tensors").has(entry.getKey());
            wanted.put(
                    entry.getKey(),
                    tensor.path("file").asString() + " " + tensor.path("dtype").asString()
                            + (skipped ? "" : " " + longs(tensor.path("shape"))));
        });
        Map<String, String> found = new TreeMap<>();
        Map<String, String> files = new TreeMap<>();
        for (Path file : ours.files()) {
            try (var shard = dev.pollux.tensor.SafetensorsFile.open(file)) {
                shard.tensors()
                        .keySet()
                        .forEach(name -> files.put(name, file.getFileName().toString()));
            }
        }
        ours.tensors().forEach((name, info) -> {
            boolean skipped = expected.path("skip_tensors").has(name);
            found.put(name, files.get(name) + " " + TypeNames.of(info.type()) + (skipped ? "" : " " + info.shape()));
        });
        assertThat(found).isEqualTo(wanted);
    }

    private static List<Long> longs(JsonNode array) {
        return array.valueStream().map(JsonNode::asLong).toList();
    }

    void checkConfig() {
        ObjectNode config = JsonFile.object(target.resolve("config.json")).orElseThrow();
        expected.path("config").properties().forEach(entry -> {
            JsonNode value = config.get(entry.getKey());
            if (entry.getValue().isNull()) {
                assertThat(value).as(entry.getKey()).isNull();
            } else {
                assertThat(value).as(entry.getKey()).isEqualTo(entry.getValue());
            }
        });
    }

    void checkValues() throws IOException {
        for (String name : ours.tensors().keySet()) {
            float[] a = ours.floats(name);
            for (float value : a) {
                assertThat(Float.isFinite(value)).as("%s is finite", name).isTrue();
            }
            if (expected.path("skip_tensors").has(name)) {
                continue;
            }
            float[] b = theirs.floats(name);
            if (ours.info(name).shape().size() == 2 && (LayerName.isEmbedding(name) || LayerName.isHead(name))) {
                a = inTheirOrder(a, ours.info(name).dim(1));
            }
            if (expected.has("importance_band")) {
                ImportanceCheck.check(this, name, a, b);
            } else if (expected.path("per_tensor").path(name).has("tied_kept")) {
                checkTiedSelection(name, a, b, expected.path("per_tensor").path(name));
            } else {
                checkWithin(name, a, b);
            }
        }
    }

    private void checkWithin(String name, float[] a, float[] b) {
        JsonNode check = expected.path("check");
        double largest = 0;
        double off = 0;
        double square = 0;
        long differing = 0;
        long largestUlp = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs((double) a[i] - b[i]));
            off += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
            square += (double) b[i] * b[i];
            long ulp = Math.abs(steps(a[i]) - steps(b[i]));
            largestUlp = Math.max(largestUlp, ulp);
            differing += ulp > 0 ? 1 : 0;
        }
        boolean checked = false;
        if (check.has("max_abs_diff")) {
            assertThat(largest)
                    .as(name)
                    .isLessThanOrEqualTo(check.path("max_abs_diff").asDouble());
            checked = true;
        }
        if (check.has("max_rel_l2_diff")) {
            assertThat(Math.sqrt(off / square))
                    .as(name)
                    .isLessThanOrEqualTo(check.path("max_rel_l2_diff").asDouble());
        }
        if (check.has("max_ulp")) {
            assertThat(largestUlp)
                    .as(name)
                    .isLessThanOrEqualTo(check.path("max_ulp").asLong());
            assertThat((double) differing / a.length)
                    .as(name)
                    .isLessThanOrEqualTo(check.path("max_fraction_differing").asDouble());
            checked = true;
        }
        assertThat(checked).as("the case has a bound").isTrue();
    }

    /** Numbers of the written type that lie between 0 and a value. */
    private long steps(float value) {
        DType type = ours.tensors().values().iterator().next().type();
        int bits = type == DType.BF16
                ? Float16.toBfloat16(Math.abs(value))
                : type == DType.F16 ? Float16.fromFloat(Math.abs(value)) : Float.floatToIntBits(Math.abs(value));
        return value < 0 ? -bits : bits;
    }

    /** Elements of equal magnitude at the cut: as many as the tool kept, no matter which. */
    private void checkTiedSelection(String name, float[] a, float[] b, JsonNode facts) {
        float[] base = floats(expected.path("base_model").asString(baseModel()), name);
        float threshold = (float) facts.path("threshold").asDouble();
        long kept = 0;
        long theirKept = 0;
        for (int i = 0; i < a.length; i++) {
            kept += a[i] != base[i] ? 1 : 0;
            theirKept += b[i] != base[i] ? 1 : 0;
            if (a[i] != b[i]) {
                float moved = Math.max(Math.abs(a[i] - base[i]), Math.abs(b[i] - base[i]));
                assertThat(moved)
                        .as("%s[%s] differs only among equals", name, i)
                        .isEqualTo(threshold);
            }
        }
        assertThat(kept).isEqualTo(theirKept).isEqualTo(facts.path("k").asLong());
    }

    String baseModel() {
        try {
            return MergekitYaml.read(folder.resolve("config.yml"))
                    .base()
                    .orElseThrow()
                    .model();
        } catch (RuntimeException e) {
            throw new AssertionError("the case needs a base_model", e);
        }
    }

    float[] floats(String model, String tensor) {
        try (SafetensorsFolder file = SafetensorsFolder.open(models.resolve(model))) {
            return file.floats(tensor);
        }
    }

    /** Rows in the order of the reference's tokenizer: ids of new tokens are arbitrary there. */
    private float[] inTheirOrder(float[] rows, int columns) {
        if (!Files.exists(folder.resolve("tokenizer.json"))) {
            return rows;
        }
        Map<String, Integer> a = tokens(target);
        Map<String, Integer> b = tokens(folder);
        assertThat(a.keySet()).isEqualTo(b.keySet());
        float[] ordered = rows.clone();
        b.forEach((token, id) -> System.arraycopy(rows, a.get(token) * columns, ordered, id * columns, columns));
        return ordered;
    }

    private static Map<String, Integer> tokens(Path folder) {
        Map<String, Integer> ids = new TreeMap<>();
        ObjectNode json = JsonFile.object(folder.resolve("tokenizer.json")).orElseThrow();
        json.path("model")
                .path("vocab")
                .properties()
                .forEach(e -> ids.put(e.getKey(), e.getValue().asInt()));
        json.path("added_tokens")
                .forEach(e -> ids.put(e.path("content").asString(), e.path("id").asInt()));
        return ids;
    }

    void checkFacts() {
        Map<String, Map<String, String>> facts = new LinkedHashMap<>();
        report.tensors().forEach(tensor -> facts.put(tensor.name(), tensor.facts()));
        expected.path("per_tensor").properties().forEach(entry -> {
            JsonNode wanted = entry.getValue();
            Map<String, String> found = facts.get(entry.getKey());
            if (wanted.has("branch")) {
                assertThat(found)
                        .as(entry.getKey())
                        .containsEntry("branch", wanted.path("branch").asString());
                assertThat(Double.parseDouble(found.get("cosine")))
                        .isCloseTo(wanted.path("cos").asDouble(), within(FACT_TOLERANCE));
            }
            if (wanted.has("t_min")) {
                double[] range = Arrays.stream(found.get("t").split(" to "))
                        .mapToDouble(Double::parseDouble)
                        .toArray();
                assertThat(range[0])
                        .as(entry.getKey())
                        .isCloseTo(wanted.path("t_min").asDouble(), within(FACT_TOLERANCE));
                assertThat(range[range.length - 1])
                        .isCloseTo(wanted.path("t_max").asDouble(), within(FACT_TOLERANCE));
            }
        });
    }

    /** The inference module opens the result as a checkpoint of its own. */
    void checkItOpens() {
        try (Checkpoint checkpoint = Checkpoint.open(target)) {
            assertThat(checkpoint.config().layers())
                    .isEqualTo(expected.path("config").path("num_hidden_layers").asInt());
            assertThat(checkpoint.config().vocabularySize())
                    .isEqualTo(expected.path("config").path("vocab_size").asInt());
        }
    }

    void checkTexts() throws IOException {
        Path template = folder.resolve("chat_template.jinja");
        var plan = MergekitYaml.read(folder.resolve("config.yml"));
        boolean donorIsKnown = plan.base().isPresent() || plan.chatTemplate().isPresent();
        if (Files.exists(template) && donorIsKnown) { // without a base the tool takes an arbitrary model's
            assertThat(target.resolve("chat_template.jinja")).hasSameTextualContentAs(template);
        }
        if (Files.exists(folder.resolve("tokenizer_config.json"))) {
            TreeSet<String> special = new TreeSet<>(List.of("bos_token", "eos_token", "pad_token"));
            ObjectNode a =
                    JsonFile.object(target.resolve("tokenizer_config.json")).orElseThrow();
            ObjectNode b =
                    JsonFile.object(folder.resolve("tokenizer_config.json")).orElseThrow();
            special.forEach(key -> assertThat(a.get(key)).as(key).isEqualTo(b.get(key)));
        }
        Path renderings = folder.resolve("chat_rendering.json");
        if (Files.exists(renderings)) {
            ChatTemplate ours = ChatTemplate.parse(Files.readString(target.resolve("chat_template.jinja")));
            for (JsonNode rendering : JsonNode.parse(Files.readString(renderings))) {
                assertThat(rendered(ours, rendering))
                        .isEqualTo(rendering.path("text").asString());
            }
        }
    }

    private String rendered(ChatTemplate template, JsonNode rendering) {
        ObjectNode config =
                JsonFile.object(target.resolve("tokenizer_config.json")).orElseThrow();
        List<Map<String, Object>> messages = rendering
                .path("messages")
                .valueStream()
                .map(message -> Map.<String, Object>of(
                        "role",
                        message.path("role").asString(),
                        "content",
                        message.path("content").asString()))
                .toList();
        return template.render(ChatTemplate.Input.builder()
                .messages(messages)
                .addGenerationPrompt(rendering.path("add_generation_prompt").asBoolean())
                .bosToken(config.path("bos_token").asString())
                .eosToken(config.path("eos_token").asString())
                .build());
    }
}
