package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The searches of the golden set {@code sampling}, and what a search promises beyond them. */
@NoLeaks
class BeamSearchTest {

    /** Of the golden set's README. */
    private static final double SCORE_TOLERANCE = 1e-3;

    @TempDir
    private Path temp;

    @TestFactory
    Stream<DynamicTest> everySearchFindsTheReferencesTexts() throws IOException {
        Path set = ReferenceData.golden("sampling");
        JsonNode root = JsonNode.parse(Files.readString(set.resolve("beam.json")));
        assertThat(root.path("cases").size()).isPositive();
        return root.path("cases")
                .valueStream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> check(set, one)));
    }

    private void check(Path set, JsonNode one) {
        JsonNode parameters = one.path("parameters");
        BeamOptions search = BeamOptions.builder()
                .beams(parameters.path("num_beams").asInt())
                .results(parameters.path("num_return_sequences").asInt())
                .lengthPenalty(parameters.path("length_penalty").asDouble(1))
                .earlyStopping(parameters.path("early_stopping").asBoolean(false))
                .build();
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(parameters.path("max_new_tokens").asInt())
                .minTokens(parameters.path("min_new_tokens").asInt(0))
                .noRepeatNgram(parameters.path("no_repeat_ngram_size").asInt(0))
                .repetitionPenalty(parameters.path("repetition_penalty").asDouble(1))
                .build();
        JsonNode ends = parameters.path("eos_token_id");
        Set<Integer> endTokens = ends.isNumber() ? Set.of(ends.asInt()) : Set.copyOf(ids(ends));
        String name = one.path("model").asString();
        try (DecoderModel model = DecoderModel.open(
                        export(set.resolveSibling("decoder").resolve(name)),
                        EngineOptions.builder().threads(1).build());
                SafetensorsFile file = SafetensorsFile.open(set.resolve("beam.safetensors"))) {
            int[] prompt =
                    ids(one.path("prompt")).stream().mapToInt(Integer::intValue).toArray();
            GenerationLoop.Request request = new GenerationLoop.Request(
                    prompt, options, endTokens, model.manifest().contextLength(), Duration.ZERO);
            Sampler.Vocabulary vocabulary =
                    new Sampler.Vocabulary(model.manifest().vocabularySize(), endTokens, id -> "");
            float[] scores = file.floats(one.path("scores").asString());
            List<JsonNode> due = one.path("sequences").valueStream().toList();
            try (BeamSearch beams = new BeamSearch(model, search, request, vocabulary)) {
                List<Hypothesis> found = beams.run();
                assertThat(found).hasSameSizeAs(due);
                for (int i = 0; i < due.size(); i++) {
                    assertThat(found.get(i).tokens()).as("text %d", i).isEqualTo(ids(due.get(i)));
                    assertThat(found.get(i).score()).isCloseTo(scores[i], within(SCORE_TOLERANCE));
                }
            }
        }
    }

    private Path export(Path model) {
        Path export = temp.resolve(model.getFileName());
        if (!Files.exists(export)) {
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                ExportOptions floats =
                        ExportOptions.builder().weights(WeightFormat.FLOAT).build();
                DecoderExport.export(checkpoint, export, floats).run();
            }
        }
        return export;
    }

    private static List<Integer> ids(JsonNode list) {
        return list.valueStream().map(JsonNode::asInt).toList();
    }

    @Test
    void oneBeamIsGreedyDecoding() {
        EngineOptions engine = EngineOptions.builder()
                .cache(temp.resolve("cache"))
                .threads(1)
                .drafting(false)
                .build();
        GenerationOptions options = GenerationOptions.builder().maxTokens(20).build();
        Prompt prompt = Prompt.text("Once upon a time");
        try (OnnxGenerator generator = OnnxGenerator.open(TinyDecoder.llama(1).write(temp.resolve("model")), engine)) {
            List<Hypothesis> found =
                    generator.search(prompt, BeamOptions.builder().beams(1).build(), options);
            assertThat(found).hasSize(1);
            assertThat(found.get(0).tokens())
                    .isEqualTo(generator.generate(prompt, options).tokens());
            assertThat(found.get(0).text())
                    .isEqualTo(generator.generate(prompt, options).text());
        }
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        assertThatThrownBy(() -> BeamOptions.builder().beams(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("beams must be in [1, 64] but was 0");
        assertThatThrownBy(() -> BeamOptions.builder().beams(2).results(3).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("results must be in [1, beams] with beams 2 but was 3");
    }
}
