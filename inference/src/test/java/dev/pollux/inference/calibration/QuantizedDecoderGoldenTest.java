package dev.pollux.inference.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.engine.DecoderModel;
import dev.pollux.inference.engine.DecoderSequence;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.graph.Graph;
import dev.pollux.inference.graph.GraphReader;
import dev.pollux.inference.graph.Node;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every model of the golden set {@code quantize/llama}: as it is, made of its checkpoint, and made of its float graph. */
@NoLeaks
class QuantizedDecoderGoldenTest {

    private static final double LOGITS = 2e-4;

    /** Products of activations in 8 bits, relative to the norm. */
    private static final double LEVEL_4 = 2e-2;

    /** Relative. */
    private static final double EVALUATION = 1e-4;

    private static final String EVALUATED = "eval.";
    private static final String FLOAT = "float";

    /** In a graph of others and in an export. */
    private static final Rule EMBEDDING = Rule.keep("*embed*");

    @TempDir
    Path temp;

    /** A model of the set. */
    private record Reference(String name, Path file) {

        private static Path folder() {
            return ReferenceData.golden("quantize").resolve("llama");
        }

        static List<Reference> all() throws IOException {
            return manifest()
                    .path("runs")
                    .valueStream()
                    .map(run -> run.path("model").asString())
                    .map(name -> new Reference(name, folder().resolve(name + ".onnx")))
                    .toList();
        }

        static JsonNode manifest() throws IOException {
            return JsonNode.parse(Files.readString(folder().resolve("manifest.json")));
        }

        /** The inputs and the logits of this model. */
        SafetensorsFile tensors() {
            return ReferenceData.cases(folder(), Files::isRegularFile).stream()
                    .filter(path -> path.toString().endsWith(".safetensors"))
                    .filter(path -> {
                        try (SafetensorsFile opened = SafetensorsFile.open(path)) {
                            return opened.tensors().containsKey(name + ".prefill.logits");
                        }
                    })
                    .findFirst()
                    .map(SafetensorsFile::open)
                    .orElseThrow();
        }

        /** A model with another configuration has the name of its checkpoint before "-float". */
        Path checkpoint() {
            return isFloat() && !name.equals(FLOAT)
                    ? folder().resolve("checkpoint-" + name.substring(0, name.length() - FLOAT.length() - 1))
                    : folder().resolve("checkpoint");
        }

        boolean isFloat() {
            return name.endsWith(FLOAT);
        }

        boolean roundsActivations() {
            return products(GraphReader.read(file)).anyMatch(node -> node.integer("accuracy_level", 0) == 4);
        }

        static Stream<Node> products(Graph graph) {
            return graph.nodes().stream().filter(node -> node.operator().equals("MatMulNBits"));
        }

        /** The recipe by which the reference was made of the float graph. */
        QuantizationRecipe recipe() {
            Graph graph = GraphReader.read(file);
            Node first = products(graph).findFirst().orElseThrow();
            Node head = products(graph).reduce((one, other) -> other).orElseThrow();
            QuantizationRecipe.Builder recipe = QuantizationRecipe.builder()
                    .method(QuantizationMethod.ROUND_TO_NEAREST)
                    .likeOnnxRuntime(true)
                    .bits((int) first.integer("bits", 4))
                    .blockSize((int) first.integer("block_size", 0))
                    .headBits((int) head.integer("bits", 4))
                    .symmetric(first.input(3).isEmpty())
                    .int8Activations(roundsActivations());
            boolean table =
                    graph.nodes().stream().anyMatch(node -> node.operator().equals("GatherBlockQuantized"));
            return (table ? recipe : recipe.rule(EMBEDDING)).build();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyModelRunsAsItIs() throws IOException {
        return tests(Reference.all().stream(), this::asItIs);
    }

    @TestFactory
    Stream<DynamicTest> everyFloatModelIsMadeOfItsCheckpoint() throws IOException {
        return tests(Reference.all().stream().filter(Reference::isFloat), model -> {
            Path target = temp.resolve(model.name() + ".exported");
            try (Checkpoint checkpoint = Checkpoint.open(model.checkpoint())) {
                ExportOptions floats =
                        ExportOptions.builder().weights(WeightFormat.FLOAT).build();
                DecoderExport.export(checkpoint, target, floats).run();
            }
            return target;
        });
    }

    @TestFactory
    Stream<DynamicTest> everyQuantizedModelIsMadeOfTheCheckpoint() throws IOException {
        return tests(
                Reference.all().stream().filter(model -> !model.isFloat()),
                model -> quantized(model.checkpoint(), model));
    }

    @TestFactory
    Stream<DynamicTest> everyQuantizedModelIsMadeOfTheFloatGraph() throws IOException {
        Reference original = Reference.all().get(0);
        return tests(
                Reference.all().stream().filter(model -> !model.isFloat()),
                model -> quantized(asItIs(original), model));
    }

    /** A folder with the graph and the configuration. */
    private Path asItIs(Reference model) throws IOException {
        Path target = Files.createTempDirectory(temp, "model");
        Files.copy(model.file(), target.resolve("model.onnx"));
        Files.copy(model.checkpoint().resolve("config.json"), target.resolve("config.json"));
        return target;
    }

    private Path quantized(Path source, Reference model) throws IOException {
        Path target = Files.createTempDirectory(temp, "quantized").resolve(model.name());
        OnnxQuantizer.create().quantize(source, target, model.recipe()).run();
        return target;
    }

    private interface Maker {
        Path make(Reference model) throws IOException;
    }

    private Stream<DynamicTest> tests(Stream<Reference> models, Maker maker) {
        return models.map(model -> DynamicTest.dynamicTest(model.name(), () -> {
            Path path = maker.make(model);
            EngineOptions options = EngineOptions.builder().threads(1).build();
            try (SafetensorsFile tensors = model.tensors();
                    DecoderModel opened = DecoderModel.open(path, options)) {
                new Run(model, opened, tensors).check();
            }
        }));
    }

    /** What the set holds, asked of a model. */
    private record Run(Reference reference, DecoderModel model, SafetensorsFile tensors) {

        void check() throws IOException {
            try (DecoderSequence sequence = model.sequence()) {
                near("prefill", logits(sequence, ids("prompt", 0)));
                int step = 0;
                for (int id : ids("decode_tokens", 0)) {
                    near("decode" + step++, logits(sequence, id));
                }
                near("chunk", logits(sequence, ids("chunk", 0)));
            }
            batch();
            if (tensors.tensors().containsKey(EVALUATED + reference.name() + ".logits")) {
                evaluation();
            }
        }

        /** The rows of a padded batch are prompts of their own. */
        private void batch() {
            float[] due = floats(reference.name() + ".batch.logits");
            int rows = Math.toIntExact(tensors.info("batch_ids").shape().get(0));
            int length = Math.toIntExact(tensors.info("batch_ids").shape().get(1));
            int vocabulary = due.length / rows / length;
            for (int row = 0; row < rows; row++) {
                int used = Arrays.stream(ids("batch_mask", row)).sum();
                try (DecoderSequence sequence = model.sequence()) {
                    float[] made = logits(sequence, Arrays.copyOf(ids("batch_ids", row), used));
                    int from = row * length * vocabulary;
                    near("batch row " + row, made, Arrays.copyOfRange(due, from, from + made.length));
                }
            }
        }

        private void evaluation() throws IOException {
            int[] ids = ids(EVALUATED + "tokens", 0);
            float[] original = floats(EVALUATED + FLOAT + ".logits");
            float[] made;
            try (DecoderSequence sequence = model.sequence()) {
                made = logits(sequence, ids);
            }
            near("evaluation", made, floats(EVALUATED + reference.name() + ".logits"));
            JsonNode due = Reference.manifest().path("evaluation").path(reference.name());
            boolean exact = !reference.roundsActivations();
            check(measures(ids, original, floats(EVALUATED + reference.name() + ".logits")), due);
            if (exact) {
                check(measures(ids, original, made), due);
            }
        }

        private void check(TokenMeasures measures, JsonNode due) {
            assertThat(measures.perplexityB()).isCloseTo(number(due, "perplexity"), relative(due, "perplexity"));
            if (due.has("mean_kl")) {
                assertThat(measures.kl().value()).isCloseTo(number(due, "mean_kl"), relative(due, "mean_kl"));
                assertThat(measures.klPercentile(0.99))
                        .isCloseTo(number(due, "p99_kl_linear"), relative(due, "p99_kl_linear"));
                assertThat(measures.klPercentile(1)).isCloseTo(number(due, "max_kl"), relative(due, "max_kl"));
                assertThat(measures.agreement()).isEqualTo(number(due, "top1_agreement"));
            }
        }

        private static double number(JsonNode due, String name) {
            return due.path(name).asDouble();
        }

        private static Offset<Double> relative(JsonNode due, String name) {
            return within(EVALUATION * number(due, name));
        }

        private static TokenMeasures measures(int[] ids, float[] original, float[] made) {
            TokenMeasures measures = new TokenMeasures(ids.length);
            int vocabulary = original.length / ids.length;
            for (int i = 0; i < ids.length; i++) {
                FloatBuffer a =
                        FloatBuffer.wrap(original, i * vocabulary, vocabulary).slice();
                FloatBuffer b =
                        FloatBuffer.wrap(made, i * vocabulary, vocabulary).slice();
                if (i + 1 < ids.length) {
                    measures.add(a, b, ids[i + 1]);
                } else {
                    measures.add(a, b);
                }
            }
            return measures;
        }

        private static float[] logits(DecoderSequence sequence, int... ids) {
            int before = sequence.length();
            float[][] rows = new float[ids.length][];
            sequence.append(ids, (position, logits) -> {
                rows[position - before] = new float[logits.limit()];
                logits.duplicate().get(0, rows[position - before]);
            });
            float[] all = new float[ids.length * rows[0].length];
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(rows[i], 0, all, i * rows[0].length, rows[0].length);
            }
            return all;
        }

        private void near(String what, float[] made) {
            near(what, made, floats(reference.name() + "." + what + ".logits"));
        }

        private void near(String what, float[] made, float[] due) {
            assertThat(made).as(what).hasSameSizeAs(due);
            double off = 0;
            double norm = 0;
            double most = 0;
            for (int i = 0; i < due.length; i++) {
                double difference = made[i] - due[i];
                most = Math.max(most, Math.abs(difference));
                off += difference * difference;
                norm += (double) due[i] * due[i];
            }
            if (reference.roundsActivations()) {
                assertThat(Math.sqrt(off / norm)).as(what).isLessThan(LEVEL_4);
            } else {
                assertThat(most).as(what).isLessThan(LOGITS);
            }
        }

        private float[] floats(String name) {
            return tensors.floats(name);
        }

        private int[] ids(String name, int row) {
            TensorInfo info = tensors.info(name);
            int length = Math.toIntExact(info.shape().get(1));
            LongBuffer all =
                    tensors.bytes(name, 0, Math.toIntExact(info.byteLength())).asLongBuffer();
            long[] some = new long[length];
            all.get(row * length, some);
            return Arrays.stream(some).mapToInt(Math::toIntExact).toArray();
        }
    }
}
