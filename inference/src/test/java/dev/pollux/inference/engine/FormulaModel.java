package dev.pollux.inference.engine;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A tiny model of the test resources {@code families}: configuration, prompt and logits as transformers has them, and
 * weights by a formula. <em>Immutable.</em>
 */
public final class FormulaModel {

    private static final long OFFSET = 0xcbf29ce484222325L; // of FNV-1a
    private static final long PRIME = 0x100000001b3L;

    private final JsonNode json;

    private FormulaModel(JsonNode json) {
        this.json = json;
    }

    /** All models, sorted. */
    public static List<String> names() {
        URL folder = Objects.requireNonNull(FormulaModel.class.getResource("families"));
        try (Stream<Path> files = Files.list(Path.of(folder.toURI()))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .map(name -> name.replace(".json", ""))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The model of a file. */
    public static FormulaModel read(String name) throws IOException {
        try (InputStream in = FormulaModel.class.getResourceAsStream("families/" + name + ".json")) {
            return new FormulaModel(
                    JsonNode.parse(Objects.requireNonNull(in, name).readAllBytes(), name));
        }
    }

    /** Its class in transformers. */
    public String architecture() {
        return json.path("config").path("architectures").path(0).asString();
    }

    /** The sliding window of its configuration; 0 without one. */
    int window() {
        JsonNode config = json.path("config");
        return Math.max(
                config.path("sliding_window").asInt(0),
                config.path("attention_window_size").asInt(0));
    }

    public int[] prompt() {
        return json.path("prompt").valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    /** The largest difference to the logits after token {@code position}. */
    double error(int position, FloatBuffer logits) {
        JsonNode row = json.path("logits").path(position);
        double most = row.size() == logits.remaining() ? 0 : Double.POSITIVE_INFINITY;
        for (int i = 0; i < Math.min(row.size(), logits.remaining()); i++) {
            double difference =
                    Math.abs(logits.get(logits.position() + i) - row.path(i).asDouble());
            most = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(most, difference);
        }
        return most;
    }

    /** The cosine of the angle to the logits after token {@code position}. */
    double cosine(int position, FloatBuffer logits) {
        JsonNode row = json.path("logits").path(position);
        double product = 0;
        double own = 0;
        double due = 0;
        for (int i = 0; i < row.size(); i++) {
            double x = logits.get(logits.position() + i);
            double y = row.path(i).asDouble();
            product += x * y;
            own += x * x;
            due += y * y;
        }
        return product / Math.sqrt(own * due);
    }

    /** Writes configuration and weights. */
    public void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), json.path("config").toString());
        SafetensorsBuilder weights = new SafetensorsBuilder();
        for (Map.Entry<String, JsonNode> weight : json.path("weights").properties()) {
            JsonNode rule = weight.getValue();
            long[] shape =
                    rule.valueStream().skip(2).mapToLong(JsonNode::asLong).toArray();
            weights.floats(weight.getKey(), values(weight.getKey(), rule, shape), shape);
        }
        weights.write(folder.resolve("model.safetensors"));
    }

    /** Mean + half width · u with u even in [−1, 1), by SplitMix64 from the FNV-1a hash of the name. */
    private static float[] values(String name, JsonNode rule, long[] shape) {
        double mean = rule.path(0).asDouble();
        double halfWidth = rule.path(1).asDouble();
        long state = OFFSET;
        for (byte letter : name.getBytes(StandardCharsets.UTF_8)) {
            state = (state ^ letter) * PRIME;
        }
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            state += 0x9E3779B97F4A7C15L;
            long mixed = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
            mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
            mixed ^= mixed >>> 31;
            double u = 2 * ((mixed >>> 40) / (double) (1 << 24)) - 1;
            values[i] = (float) (mean + halfWidth * u);
        }
        return values;
    }
}
