package dev.pollux.finetune.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorSource;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Adapters that the reference tool extracted, compared by ranks, shapes, norms and error: signs are arbitrary. */
class LoraExtractionGoldenTest {

    private static final double TOLERANCE = 1e-5;
    private static final String PREFIX = "base_model.model.";

    @TempDir
    Path temp;

    @TestFactory
    Stream<DynamicTest> adaptersAreExtracted() {
        Path set = ReferenceData.golden("merge/lora-extraction");
        return ReferenceData.cases(set, path -> path.toString().endsWith(".json")).stream()
                .map(file -> DynamicTest.dynamicTest(
                        file.getFileName().toString(),
                        () -> check(
                                set.resolveSibling("models"),
                                JsonFile.object(file).orElseThrow(),
                                file)));
    }

    private void check(Path models, ObjectNode expected, Path file) {
        Arguments arguments = Arguments.of(expected.path("arguments"));
        Path target = temp.resolve(file.getFileName().toString().replace(".json", ""));
        LoraExtraction extraction = LoraExtraction.in(models, arguments.options());
        LoraExtractionReport report =
                extraction.extract(arguments.base(), arguments.model(), target).run();

        ObjectNode config =
                JsonFile.object(target.resolve("adapter_config.json")).orElseThrow();
        try (SafetensorsFile adapter = SafetensorsFile.open(target.resolve("adapter_model.safetensors"));
                InputModel base = InputModel.open(ModelReference.parse(arguments.base()), models);
                InputModel tuned = InputModel.open(ModelReference.parse(arguments.model()), models);
                InputModel merged = InputModel.open(
                        ModelReference.parse(arguments.base() + "+" + target.toAbsolutePath()), models)) {
            Set<String> unchanged = unchanged(expected);
            checkConfig(config, expected.path("adapter_config"), unchanged.isEmpty());
            checkTensors(adapter, expected, unchanged);
            for (Map.Entry<String, JsonNode> module : expected.path("modules").properties()) {
                if (!unchanged.contains(module.getKey())) {
                    checkModule(module.getKey(), module.getValue(), config, adapter, report);
                }
                String weight = module.getKey() + ".weight";
                double left = distance(merged, tuned, weight);
                double all = distance(base, tuned, weight);
                assertThat(all == 0 ? left : left / all)
                        .as("relative error of %s as an adapter", weight)
                        .isCloseTo(
                                module.getValue().path("optimal_relative_error").asDouble(0), within(TOLERANCE));
            }
        }
    }

    /** Modules without a change have no part in ours. */
    private static Set<String> unchanged(ObjectNode expected) {
        TreeSet<String> names = new TreeSet<>();
        expected.path("modules").properties().forEach(entry -> {
            JsonNode module = entry.getValue();
            if (module.path("delta_norm").asDouble() == 0 || module.path("rank").asInt() == 0) {
                names.add(entry.getKey());
            }
        });
        return names;
    }

    private static void checkConfig(ObjectNode config, JsonNode expected, boolean complete) {
        expected.properties().forEach(entry -> {
            boolean pattern = entry.getKey().endsWith("_pattern");
            if (complete || !pattern) {
                assertThat(config.get(entry.getKey())).as(entry.getKey()).isEqualTo(entry.getValue());
            }
        });
    }

    private static void checkTensors(SafetensorsFile adapter, ObjectNode expected, Set<String> unchanged) {
        Map<String, List<Long>> wanted = new TreeMap<>();
        expected.path("tensors").properties().forEach(entry -> {
            if (unchanged.stream().noneMatch(module -> entry.getKey().startsWith(PREFIX + module + ".lora_"))) {
                wanted.put(
                        entry.getKey(),
                        entry.getValue().valueStream().map(JsonNode::asLong).toList());
            }
        });
        Map<String, List<Long>> found = new TreeMap<>();
        adapter.tensors().forEach((name, info) -> found.put(name, info.shape()));
        assertThat(found).isEqualTo(wanted);
    }

    private static void checkModule(
            String name, JsonNode expected, ObjectNode config, SafetensorsFile adapter, LoraExtractionReport report) {
        LoraExtractionReport.Matrix matrix = report.matrices().stream()
                .filter(candidate -> candidate.module().equals(name))
                .findFirst()
                .orElseThrow();
        assertThat(matrix.rank())
                .as("rank of %s", name)
                .isEqualTo(expected.path("rank").asInt());
        assertThat(matrix.norm())
                .as("norm of %s", name)
                .isCloseTo(expected.path("delta_norm").asDouble(), within(TOLERANCE));
        assertThat(matrix.relativeError())
                .as("error of %s", name)
                .isCloseTo(expected.path("optimal_relative_error").asDouble(), within(TOLERANCE));
        for (int i = 0; i < matrix.rank(); i++) {
            assertThat(matrix.singularValues().get(i))
                    .as("singular value %d of %s", i, name)
                    .isCloseTo(expected.path("singular_values").path(i).asDouble(), within(TOLERANCE));
        }
        boolean embedding = expected.path("transposed").asBoolean();
        String form = embedding ? ".lora_embedding_%s" : ".lora_%s.weight";
        float[] a = adapter.floats(PREFIX + name + String.format(form, "A"));
        float[] b = adapter.floats(PREFIX + name + String.format(form, "B"));
        int rank = matrix.rank();
        for (int k = 0; k < rank; k++) {
            assertThat(norm(a, k * (a.length / rank), 1, a.length / rank))
                    .as("row %d of A of %s", k, name)
                    .isCloseTo(expected.path("A_row_norms").path(k).asDouble(), within(TOLERANCE));
            assertThat(norm(b, k, rank, b.length / rank))
                    .as("column %d of B of %s", k, name)
                    .isCloseTo(expected.path("B_column_norms").path(k).asDouble(), within(TOLERANCE));
        }
        assertThat(config.path("rank_pattern").path(name).asInt(config.path("r").asInt()))
                .isEqualTo(rank);
    }

    private static double norm(float[] values, int first, int step, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += (double) values[first + i * step] * values[first + i * step];
        }
        return Math.sqrt(sum);
    }

    private static double distance(InputModel a, InputModel b, String tensor) {
        float[] x = all(a.tensor(tensor).orElseThrow());
        float[] y = all(b.tensor(tensor).orElseThrow());
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += ((double) x[i] - y[i]) * ((double) x[i] - y[i]);
        }
        return Math.sqrt(sum);
    }

    private static float[] all(TensorSource source) {
        float[] values = new float[Math.toIntExact(source.elements())];
        source.ready().read(0, values.length, values, 0);
        return values;
    }

    /** The reference tool's command line. */
    private record Arguments(String base, String model, LoraExtractionOptions options) {
        static Arguments of(JsonNode words) {
            String base = "";
            String model = "";
            List<String> include = new ArrayList<>();
            List<String> exclude = new ArrayList<>();
            LoraExtractionOptions.Builder options =
                    LoraExtractionOptions.builder().threads(2);
            Iterator<JsonNode> next = words.valueStream().iterator();
            while (next.hasNext()) {
                String word = next.next().asString();
                switch (word) {
                    case "--base-model" -> base = next.next().asString();
                    case "--model" -> model = next.next().asString();
                    case "--max-rank" ->
                        options.rank(Integer.parseInt(next.next().asString()));
                    case "--sv-epsilon" ->
                        options.epsilon(Double.parseDouble(next.next().asString()));
                    case "--exclude-regex", "-e" -> exclude.add(next.next().asString());
                    case "--include-regex", "-i" -> include.add(next.next().asString());
                    case "--skip-undecomposable" -> options.wholeOthers(false);
                    case "--embed-lora" -> options.embeddings(LoraExtractionOptions.Embeddings.LORA);
                    case "--no-embed-lora" -> options.embeddings(LoraExtractionOptions.Embeddings.WHOLE);
                    case "--no-distribute-scale" -> options.distributeScale(false);
                    case "--distribute-scale" -> options.distributeScale(true);
                    default -> throw new AssertionError("an argument that the test does not know: " + word);
                }
            }
            return new Arguments(
                    base, model, options.include(include).exclude(exclude).build());
        }
    }
}
