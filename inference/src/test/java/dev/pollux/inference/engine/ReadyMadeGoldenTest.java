package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.UnsupportedModelException;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.calibration.InputGrams;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.OnnxFolder;
import dev.pollux.inference.onnx.ReadyMade;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Graphs of the shapes that others publish, made of the golden set {@code decoder}: whatever the inputs, names and cache, the
 * reference's logits come out, in one pass, in pieces, after rollback.
 */
@NoLeaks
class ReadyMadeGoldenTest {

    /** What a cache and logits of 11 significant bits cost, on logits below 10. */
    private static final double HALF = 0.1;

    @TempDir
    Path temp;

    /** Folders of onnxruntime-genai: a mask, the fused operator with its cache in place, names from the configuration. */
    @TestFactory
    Stream<DynamicTest> everyVariantRunsAsAGenaiFolder() {
        return variants(folder -> {
            ReadyMade made = made(folder);
            Path target = temp.resolve(folder.getFileName() + ".genai");
            made.named((layer, what) -> "cache_" + layer + "_" + what, (layer, what) -> what + "." + layer + ".next");
            made.save(target.resolve("decoder.onnx"));
            genai(target, folder, names());
            assertThat(DecoderGraph.of(target).inPlace()).isTrue();
            check(folder, target);
        });
    }

    /** Graphs that give back the past and the new in tensors of their own. */
    @TestFactory
    Stream<DynamicTest> everyVariantRunsWithACacheThatIsCopied() {
        return variants(folder -> {
            Path target = temp.resolve(folder.getFileName() + ".copied");
            made(folder).copied(ReadyMade.FLOAT).save(target.resolve("onnx/model.onnx"));
            configuration(target, folder);
            assertThat(DecoderGraph.of(target).inPlace()).isFalse();
            check(folder, target);
        });
    }

    @TestFactory
    Stream<DynamicTest> llamaRunsInEveryShape() {
        Path folder = llama();
        return Stream.of(
                shape("concatenated", target -> made(folder).plain(true, true).save(target.resolve("model.onnx"))),
                shape(
                        "merged",
                        target -> made(folder)
                                .plain(true, false)
                                .mergedWith(made(folder).plain(false, true))
                                .save(target.resolve("onnx/decoder_model_merged.onnx"))),
                shape("split", target -> {
                    made(folder).plain(true, false).save(target.resolve("decoder_with_past_model.onnx"));
                    made(folder).plain(false, true).save(target.resolve("decoder_model.onnx"));
                }),
                shape("some logits", target -> made(folder).kept().save(target.resolve("model.onnx"))),
                shape("the last logits", target -> made(folder).lastOnly().save(target.resolve("model.onnx"))),
                shape("32-bit ids", target -> made(folder).narrowIds().save(target.resolve("model.onnx"))));
    }

    private interface Maker {
        void make(Path target) throws IOException;
    }

    private DynamicTest shape(String name, Maker maker) {
        return DynamicTest.dynamicTest(name, () -> {
            Path target = Files.createTempDirectory(temp, "shape");
            maker.make(target);
            configuration(target, llama());
            check(llama(), target);
        });
    }

    @Test
    void sixteenBitsInCacheAndLogitsAreRead() throws IOException {
        Path target = temp.resolve("half");
        made(llama()).copied(ReadyMade.FLOAT16).halfLogits().save(target.resolve("onnx/model_fp16.onnx"));
        configuration(target, llama());
        JsonNode cases = cases(llama());
        try (SafetensorsFile expected = expected(llama());
                DecoderModel model = DecoderModel.open(target, options(16))) {
            for (JsonNode prompt : cases.path("prompts")) {
                float[] due = expected.floats(prompt.path("logits_last").asString());
                int[] ids = ints(prompt.path("ids"));
                try (DecoderSequence sequence = model.sequence()) {
                    sequence.append(ids);
                    sequence.append(1, 2, 3);
                    sequence.truncate(ids.length - 1);
                    FloatBuffer logits = sequence.append(ids[ids.length - 1]);
                    for (int i = 0; i < due.length; i++) {
                        assertThat((double) logits.get(i)).isCloseTo(due[i], within(HALF));
                    }
                }
            }
        }
    }

    @Test
    void theCacheGrowsBeyondItsFirstRoom() throws IOException {
        Path inPlace = temp.resolve("in-place");
        Path copied = temp.resolve("copied");
        made(llama()).save(inPlace.resolve("model.onnx"));
        made(llama()).copied(ReadyMade.FLOAT).save(copied.resolve("model.onnx"));
        configuration(inPlace, llama());
        configuration(copied, llama());
        int context =
                Math.min(256, config(llama()).path("max_position_embeddings").asInt(256));
        int vocabulary = vocabulary();
        int[] ids = IntStream.range(0, context - 1).map(i -> i * 7 % vocabulary).toArray();
        try (DecoderModel one = DecoderModel.open(inPlace, options(50));
                DecoderModel other = DecoderModel.open(copied, options(50));
                DecoderSequence a = one.sequence();
                DecoderSequence b = other.sequence()) {
            for (int round = 0; round < 2; round++) {
                FloatBuffer due = a.append(ids);
                FloatBuffer logits = b.append(ids);
                for (int i = 0; i < due.limit(); i++) {
                    assertThat((double) logits.get(i)).isCloseTo(due.get(i), within(1e-4));
                }
                a.truncate(0);
                b.truncate(0);
            }
        }
    }

    @Test
    void textGoesInAndOutOfAFolder() throws IOException {
        Path target = temp.resolve("text");
        made(llama()).save(target.resolve("model.onnx"));
        genai(target, llama(), Map.of());
        assertThatThrownBy(() -> OnnxGenerator.open(target))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage("text has no tokenizer, so it reads no text; add tokenizer.json to " + target);
        Files.writeString(target.resolve("tokenizer.json"), tokenizer());
        Files.writeString(
                target.resolve("tokenizer_config.json"),
                "{\"chat_template\": \"{% for m in messages %}{{ m.content }} {% endfor %}\"}");
        JsonNode prompt = cases(llama()).path("prompts").path(1);
        String text =
                IntStream.of(ints(prompt.path("ids"))).mapToObj(id -> "w" + id).collect(Collectors.joining(" "));
        GenerationOptions most = GenerationOptions.builder().maxTokens(24).build();
        try (OnnxGenerator generator = OnnxGenerator.open(target, options(256))) {
            Generation generation = generator.generate(Prompt.text(text), most);
            List<Integer> due = prompt.path("greedy")
                    .path("ids")
                    .valueStream()
                    .map(JsonNode::asInt)
                    .toList();
            assertThat(generation.tokens()).isEqualTo(due);
            assertThat(generation.text())
                    .isEqualTo(due.stream().map(id -> "w" + id).collect(Collectors.joining(" ")));
            assertThat(generator.info().chat()).isTrue();
            assertThat(generator.generate(Prompt.chat(Message.user(text)), most).tokens())
                    .isEqualTo(due);
            assertThat(generator.info().contextLength())
                    .isEqualTo(config(llama()).path("max_position_embeddings").asInt());
        }
    }

    @Test
    void adaptersAndGramMatricesNeedACheckpoint() throws IOException {
        Path target = temp.resolve("adapters");
        made(llama()).save(target.resolve("model.onnx"));
        configuration(target, llama());
        EngineOptions adapters =
                EngineOptions.builder().threads(1).adapters(true).build();
        try (DecoderModel model = DecoderModel.open(target, adapters);
                DecoderSequence sequence = model.sequence()) {
            assertThat(sequence.append(1).limit()).isEqualTo(vocabulary());
            assertThatThrownBy(() -> model.load(Map.of(temp, 1.0)))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessage(
                            "adapters is a graph that does not say where its matrices are; open the checkpoint itself"
                                    + " to load adapters");
        }
        assertThatThrownBy(() -> InputGrams.of(target, 64, adapters, JobContext.NONE))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        target + " is a graph that does not say where its matrices are; open the checkpoint itself");
    }

    /** The words w0, w1 and so on, a token each. */
    private static String tokenizer() {
        String vocabulary = IntStream.range(0, vocabulary())
                .mapToObj(id -> "\"w" + id + "\": " + id)
                .collect(Collectors.joining(","));
        return "{\"version\": \"1.0\", \"added_tokens\": [], \"normalizer\": null, \"post_processor\": null,"
                + " \"pre_tokenizer\": {\"type\": \"WhitespaceSplit\"}, \"decoder\": null,"
                + " \"model\": {\"type\": \"WordLevel\", \"unk_token\": \"w0\", \"vocab\": {" + vocabulary + "}}}";
    }

    private interface Check {
        void run(Path folder) throws IOException;
    }

    /** Every variant; one with recurrent states, or tables that an input chooses, is of no kind that others publish. */
    private Stream<DynamicTest> variants(Check check) {
        return ReferenceData.cases(ReferenceData.golden("decoder"), Files::isDirectory).stream()
                .map(folder -> DynamicTest.dynamicTest(folder.getFileName().toString(), () -> {
                    DecoderManifest manifest = DecoderManifest.read(export(folder));
                    if (manifest.states(Kind.RECURRENT).isEmpty() && manifest.rotarySwitch() == 0) {
                        check.run(folder);
                    } else {
                        refused(folder);
                    }
                }));
    }

    private void refused(Path folder) throws IOException {
        Path target = Files.createTempDirectory(temp, "refused");
        made(folder).save(target.resolve("model.onnx"));
        configuration(target, folder);
        assertThatThrownBy(() -> OnnxFolder.find(target))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("model.onnx: the input '")
                .hasMessageContaining("' is not supported: ");
    }

    private static void check(Path folder, Path target) throws IOException {
        try (SafetensorsFile expected = expected(folder)) {
            for (int chunk : new int[] {256, 16}) {
                try (DecoderModel model = DecoderModel.open(target, options(chunk))) {
                    new DecoderGoldenTest.Variant(model, cases(folder), expected).check();
                }
            }
        }
    }

    private static EngineOptions options(int chunk) {
        return EngineOptions.builder().threads(1).prefillChunk(chunk).build();
    }

    /** The first plain Llama of the reference set. */
    private static Path llama() {
        return ReferenceData.first(
                ReferenceData.golden("decoder"), "plain LlamaForCausalLM", ReadyMadeGoldenTest::isPlainLlama);
    }

    private static boolean isPlainLlama(Path folder) {
        Path config = folder.resolve("config.json");
        if (!Files.isRegularFile(config)) {
            return false;
        }
        JsonNode json = config(folder);
        return json.path("architectures").path(0).asString("").equals("LlamaForCausalLM")
                && json.path("rope_scaling").isEmpty();
    }

    private static JsonNode config(Path folder) {
        try {
            return JsonNode.parse(Files.readString(folder.resolve("config.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int vocabulary() {
        return config(llama()).path("vocab_size").asInt();
    }

    private ReadyMade made(Path folder) throws IOException {
        return new ReadyMade(export(folder));
    }

    private Path export(Path folder) {
        Path target = temp.resolve(folder.getFileName() + ".export");
        if (!Files.exists(target)) {
            ExportOptions floats =
                    ExportOptions.builder().weights(WeightFormat.FLOAT).build();
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                DecoderExport.export(checkpoint, target, floats).run();
            }
        }
        return target;
    }

    private static void configuration(Path target, Path folder) throws IOException {
        for (String name : List.of("config.json", "generation_config.json")) {
            if (Files.exists(folder.resolve(name))) {
                Files.copy(folder.resolve(name), target.resolve(name));
            }
        }
    }

    /** Names that are nobody's default. */
    private static Map<String, Object> names() {
        return Map.of(
                "filename", "decoder.onnx",
                "inputs", Map.of("past_key_names", "cache_%d_key", "past_value_names", "cache_%d_value"),
                "outputs", Map.of("present_key_names", "key.%d.next", "present_value_names", "value.%d.next"));
    }

    private static void genai(Path target, Path folder, Map<String, Object> decoder) throws IOException {
        JsonNode config = config(folder);
        int context = config.path("max_position_embeddings")
                .asInt(config.path("n_positions").asInt(256));
        Map<String, Object> model = Map.of(
                "type",
                "any",
                "context_length",
                context,
                "vocab_size",
                config.path("vocab_size").asInt(),
                "eos_token_id",
                List.of(2, 700),
                "decoder",
                decoder.isEmpty() ? Map.of("filename", "model.onnx") : decoder);
        Files.writeString(
                target.resolve("genai_config.json"),
                JsonNode.of(Map.of("model", model)).toString());
    }

    private static JsonNode cases(Path folder) throws IOException {
        return JsonNode.parse(Files.readString(folder.resolve("cases.json")));
    }

    private static SafetensorsFile expected(Path folder) throws IOException {
        return SafetensorsFile.open(
                folder.resolve(cases(folder).path("expected").asString()));
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }
}
