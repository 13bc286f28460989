package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.encoder.TinyCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How publishers would have tokens chosen, from what they write beside a model. */
class PublishedSamplingTest {

    @TempDir
    Path folder;

    private Optional<GenerationOptions> published(String file, String json) throws IOException {
        Files.writeString(folder.resolve(file), json);
        return ModelTexts.in(folder).sampling();
    }

    /** Temperature, top-k, top-p, min-p, typical-p, repetition penalty. */
    private static String shown(GenerationOptions options) {
        return options.temperature() + " " + options.topK() + " " + options.topP() + " " + options.minP() + " "
                + options.typicalP() + " " + options.repetitionPenalty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"do_sample\": true, \"temperature\": 0.6, \"top_p\": 0.9} | 0.6 0 0.9 0.0 1.0 1.0",
                "{\"temperature\": 0.7, \"top_p\": 0.8, \"top_k\": 20, \"repetition_penalty\": 1.05} | 0.7 20 0.8 0.0 1.0 1.05",
                "{\"top_k\": 64.0, \"top_p\": 0.95} | 1.0 64 0.95 0.0 1.0 1.0",
                "{\"min_p\": 0.1, \"typical_p\": 0.9} | 1.0 0 1.0 0.1 0.9 1.0",
                "{\"temperature\": 0} | 0.0 0 1.0 0.0 1.0 1.0",
                "{\"do_sample\": false, \"temperature\": 0.6, \"top_k\": 5} | 0.0 5 1.0 0.0 1.0 1.0",
                "{\"do_sample\": false} | 0.0 0 1.0 0.05 1.0 1.0",
                "{\"repetition_penalty\": 1.2} | 0.7 0 1.0 0.05 1.0 1.2",
                "{\"temperature\": 1.5, \"top_p\": 0, \"top_k\": -1, \"min_p\": 2, \"repetition_penalty\": 0} | 1.5 0 1.0 0.0 1.0 1.0",
                "{\"temperature\": \"hot\", \"top_p\": null, \"top_k\": 2.5, \"min_p\": 0.2} | 1.0 0 1.0 0.2 1.0 1.0"
            })
    void whatIsPublishedWinsAndTheRestIsNeutral(String json, String expected) throws IOException {
        assertThat(published("generation_config.json", json))
                .map(PublishedSamplingTest::shown)
                .contains(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}",
                "{\"eos_token_id\": 2, \"max_length\": 4096}",
                "{\"do_sample\": true}",
                "{\"temperature\": -1, \"top_k\": -1}",
                "{\"do_sample\": \"yes\"}"
            })
    void whereNothingIsSaidNothingIsRead(String json) throws IOException {
        assertThat(published("generation_config.json", json)).isEmpty();
    }

    @Test
    void aFolderOfOnnxruntimeGenaiCountsWhereItSamples() throws IOException {
        String search = "{\"search\": {\"do_sample\": %s, \"temperature\": 0.8, \"top_k\": 50, \"top_p\": 0.9}}";

        assertThat(published("genai_config.json", search.formatted("false"))).isEmpty();
        assertThat(published("genai_config.json", search.formatted("true")))
                .map(PublishedSamplingTest::shown)
                .contains("0.8 50 0.9 0.0 1.0 1.0");
        assertThat(published("generation_config.json", "{\"temperature\": 0.3}"))
                .map(GenerationOptions::temperature)
                .contains(0.3);
    }

    @Test
    void aGgufFileHasKeysOfItsOwn() {
        Map<String, Object> metadata = Map.of(
                "general.sampling.temp", 0.6f, "general.sampling.top_k", 40L, "general.sampling.penalty_repeat", 1.1);

        assertThat(PublishedSampling.ofGguf(metadata))
                .map(options -> Math.round(options.temperature() * 10) + " " + options.topK() + " "
                        + options.repetitionPenalty())
                .contains("6 40 1.1");
        assertThat(PublishedSampling.ofGguf(Map.of("general.sampling.temp", "warm")))
                .isEmpty();
    }

    @Test
    void anExportCarriesIt() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        TinyCheckpoint inner = TinyCheckpoint.decoder(model, "LlamaForCausalLM");
        inner.renamed(model, name -> "model." + name)
                .set("tie_word_embeddings", true)
                .write();
        Path plain = export(model, "plain");
        Files.writeString(model.resolve("generation_config.json"), "{\"temperature\": 0.6, \"top_k\": 20}");
        Path sampled = export(model, "sampled");

        assertThat(DecoderManifest.read(plain).sampling()).isEmpty();
        assertThat(plain.resolve(DecoderManifest.FILE)).content().doesNotContain("sampling");
        assertThat(DecoderManifest.read(sampled).sampling())
                .map(PublishedSamplingTest::shown)
                .contains("0.6 20 1.0 0.0 1.0 1.0");
    }

    @Test
    void aManifestWithASamplingThatCannotBeIsRefused() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        TinyCheckpoint.decoder(model, "LlamaForCausalLM")
                .renamed(model, name -> "model." + name)
                .set("tie_word_embeddings", true)
                .write();
        Files.writeString(model.resolve("generation_config.json"), "{\"temperature\": 0.6}");
        Path out = export(model, "out");
        Path file = out.resolve(DecoderManifest.FILE);
        Files.writeString(file, Files.readString(file).replaceFirst("\"temperature\" ?: ?0.6", "\"temperature\": -1"));

        assertThatThrownBy(() -> DecoderManifest.read(out))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " is not a decoder manifest: sampling: temperature must be in [0, 100] but was -1.0;"
                        + " export the model again");
    }

    private Path export(Path model, String name) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            DecoderExport.export(checkpoint, folder.resolve(name), ExportOptions.DEFAULTS)
                    .run();
        }
        return folder.resolve(name);
    }
}
