package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.calibration.Perplexity;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.inference.onnx.GraphInput;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.JobContext;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real model of {@code models/smollm2-135m-instruct} against its golden set, in float and as exported by default. */
@NoLeaks
class RealModelGoldenTest {

    /** Of the golden set's README: float32 logits and log-probabilities. */
    private static final double FLOAT_TOLERANCE = 2e-3;

    /** Of the golden set's README: below this gap between the two best logits, the greedy token is not compared. */
    private static final double DECISIVE_GAP = 4e-3;

    /** The bound that the default export is held to. */
    private static final double DEFAULT_LOSS = 0.01;

    /**
     * Kullback-Leibler divergence, in nats, of a sequence's distribution in a shared step from the one in a step alone. The
     * kernels of the default export round activations to 8 bits and add up in another order for another number of rows; 0.024 was
     * the largest of 240 rows.
     */
    private static final double SHARED_DIVERGENCE = 0.1;

    private static final String NAME = "smollm2-135m-instruct";

    private final Path golden = ReferenceData.golden(NAME);
    private final JsonNode cases = json(golden.resolve("cases.json"));
    private final Path file =
            ReferenceData.model(NAME).resolve(cases.path("model").asString());

    @Test
    void floatExportGivesTheReferenceNumbers(@TempDir Path temp) {
        Path target = temp.resolve("float");
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            ExportOptions floats =
                    ExportOptions.builder().weights(WeightFormat.FLOAT).build();
            DecoderExport.export(checkpoint, target, floats).run();
        }
        try (OnnxGenerator generator = OnnxGenerator.open(target);
                SafetensorsFile expected = SafetensorsFile.open(golden.resolve("expected.safetensors"))) {
            assertThat(cases.path("cases").size()).isPositive();
            for (JsonNode one : cases.path("cases")) {
                logits(generator, expected, one);
                continuation(generator, one);
            }
            documentOf(generator, expected);
        }
    }

    private static void logits(OnnxGenerator generator, SafetensorsFile expected, JsonNode one) {
        String name = one.path("name").asString();
        int[] ids = ints(one.path("ids"));
        assertThat(generator.countTokens(prompt(one))).as(name).isEqualTo(ids.length);
        float[] logprobs = expected.floats(name + ".prompt_logprobs");
        float[] last = expected.floats(name + ".last");
        try (DecoderSequence sequence = generator.model().sequence()) {
            sequence.append(ids, (position, logits) -> {
                if (position + 1 < ids.length) {
                    assertThat(Perplexity.logProbability(logits, ids[position + 1]))
                            .as("%s: log-probability after position %d", name, position)
                            .isCloseTo(logprobs[position], within(FLOAT_TOLERANCE));
                } else {
                    for (int i = 0; i < last.length; i++) {
                        assertThat((double) logits.get(i))
                                .as("%s: logit %d", name, i)
                                .isCloseTo(last[i], within(FLOAT_TOLERANCE));
                    }
                }
            });
        }
    }

    private static void continuation(OnnxGenerator generator, JsonNode one) {
        JsonNode greedy = one.path("greedy");
        int[] due = ints(greedy.path("ids"));
        try (DecoderSequence sequence = generator.model().sequence()) {
            FloatBuffer logits = sequence.append(ints(one.path("ids")));
            for (int i = 0; i < due.length; i++) {
                assertThat(Perplexity.logProbability(logits, due[i]))
                        .as("%s: greedy token %d", one.path("name").asString(), i)
                        .isCloseTo(greedy.path("logprobs").path(i).asDouble(), within(FLOAT_TOLERANCE));
                if (greedy.path("gaps").path(i).asDouble() > DECISIVE_GAP) {
                    assertThat(Logits.argmax(logits)).isEqualTo(due[i]);
                }
                logits = sequence.append(due[i]);
            }
        }
        if (greedy.path("gaps").valueStream().allMatch(gap -> gap.asDouble() > DECISIVE_GAP)) {
            Generation generation = generator.generate(
                    prompt(one),
                    GenerationOptions.builder().maxTokens(due.length).build());
            assertThat(generation.text()).isEqualTo(greedy.path("text").asString());
            assertThat(generation.tokens()).isEqualTo(Arrays.stream(due).boxed().toList());
            assertThat(generation.finish())
                    .isEqualTo(greedy.path("ended").asBoolean() ? FinishReason.END_OF_TEXT : FinishReason.MAX_TOKENS);
        }
    }

    private void documentOf(OnnxGenerator generator, SafetensorsFile expected) {
        int[] ids = documentIds();
        float[] nll = expected.floats("document.nll");
        try (DecoderSequence sequence = generator.model().sequence()) {
            sequence.append(ids, (position, logits) -> {
                if (position + 1 < ids.length) {
                    assertThat(-Perplexity.logProbability(logits, ids[position + 1]))
                            .as("nll of token %d", position + 1)
                            .isCloseTo(nll[position], within(FLOAT_TOLERANCE));
                }
            });
        }
    }

    @Test
    void defaultExportLosesLessThanOnePercentOfPerplexity() {
        int[] ids = documentIds();
        double reference = cases.path("document").path("perplexity").asDouble();
        try (OnnxGenerator generator = OnnxGenerator.open(file)) {
            double perplexity =
                    Perplexity.of(generator.model(), ids, JobContext.NONE).value();
            assertThat(perplexity)
                    .as(String.format(Locale.ROOT, "perplexity %.3f against %.3f", perplexity, reference))
                    .isLessThanOrEqualTo(reference * (1 + DEFAULT_LOSS));
        }
    }

    @Test
    void sequencesThatShareAStepOfTheDefaultExportGetNearlyTheirOwnDistributions() {
        List<int[]> prompts = cases.path("cases")
                .valueStream()
                .map(one -> ints(one.path("ids")))
                .toList();
        int count = prompts.size();
        int[] lengths = prompts.stream().mapToInt(ids -> ids.length).toArray();
        int most = Arrays.stream(lengths).max().orElseThrow() + 1;
        DecoderGraph graph;
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            EngineOptions options = EngineOptions.DEFAULTS;
            graph = DecoderGraph.exported(
                    DecoderExport.cached(checkpoint, options.export(), options.cache(), JobContext.NONE));
        }
        try (DecoderModel model = DecoderModel.open(graph, EngineOptions.DEFAULTS);
                DecoderSession session = DecoderSession.open(graph, EngineOptions.DEFAULTS);
                JointSteps joint = new JointSteps(session, count, most, Map.of())) {
            int[] next = new int[count];
            double[][] alone = new double[count][];
            for (int i = 0; i < count; i++) {
                next[i] = cases.path("cases")
                        .path(i)
                        .path("greedy")
                        .path("ids")
                        .path(0)
                        .asInt();
                try (DecoderSequence sequence = model.sequence();
                        JointSteps one = new JointSteps(session, 1, most, Map.of())) {
                    sequence.append(prompts.get(i));
                    alone[i] = Logits.logProbabilities(sequence.append(next[i]));
                    one.run(GraphInput.Step.of(prompts.get(i), 0, 1, 0));
                    joint.take(i, one);
                }
            }
            joint.run(GraphInput.Step.joint(next, lengths, new long[count]));
            for (int i = 0; i < count; i++) {
                double[] shared = Logits.logProbabilities(joint.logits(i));
                double divergence = 0;
                for (int v = 0; v < shared.length; v++) {
                    divergence += Math.exp(alone[i][v]) * (alone[i][v] - shared[v]);
                }
                assertThat(divergence).as("sequence %d of %d", i, count).isLessThan(SHARED_DIVERGENCE);
            }
        }
    }

    private int[] documentIds() {
        JsonNode document = cases.path("document");
        Path corpus = ReferenceData.data("llm-twin").resolve("cleaned_documents.json");
        JsonNode root = json(corpus);
        String id = document.path("id").asString();
        String text = all(root)
                .filter(node -> id.equals(node.path("id").asString("")))
                .map(node -> node.path("content").asString())
                .findFirst()
                .orElseThrow();
        try (Checkpoint checkpoint = Checkpoint.open(file);
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            return Arrays.copyOf(
                    tokenizer.encode(text, true), document.path("tokens").asInt());
        }
    }

    private static java.util.stream.Stream<JsonNode> all(JsonNode node) {
        return java.util.stream.Stream.concat(
                java.util.stream.Stream.of(node), node.valueStream().flatMap(RealModelGoldenTest::all));
    }

    private static Prompt prompt(JsonNode one) {
        if (one.has("text")) {
            return Prompt.text(one.path("text").asString());
        }
        List<Message> messages = one.path("messages")
                .valueStream()
                .map(message -> new Message(
                        message.path("role").asString(), message.path("content").asString()))
                .toList();
        return Prompt.chat(messages);
    }

    private static JsonNode json(Path file) {
        try {
            return JsonNode.parse(Files.readString(file));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }
}
