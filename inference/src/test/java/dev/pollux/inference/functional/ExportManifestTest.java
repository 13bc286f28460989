package dev.pollux.inference.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.job.JobContext;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What exports say of their making. */
@NoLeaks
class ExportManifestTest {

    @TempDir
    Path temp;

    @Test
    void aDecoderNamesItsCheckpointByTheHashOfEachFile() throws IOException {
        Path model = TinyDecoder.of("LlamaForCausalLM", "llama", 1).write(temp.resolve("model"));
        ExportOptions options = ExportOptions.builder().build();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            DecoderExport.export(checkpoint, temp.resolve("export"), options).run();
            Path cached = DecoderExport.cached(checkpoint, options, temp.resolve("cache"), JobContext.NONE);

            ArtifactManifest manifest =
                    ArtifactManifest.read(temp.resolve("export")).orElseThrow();
            assertThat(manifest.kind()).isEqualTo(Kind.DECODER);
            assertThat(manifest.operation()).isEqualTo("export");
            assertThat(manifest.options())
                    .isEqualTo(Map.of(
                            "weights", options.weights().name(),
                            "blockSize", String.valueOf(options.blockSize()),
                            "maxContext", String.valueOf(options.maxContext())));
            checkInputs(manifest, checkpoint.files());
            assertThat(ArtifactManifest.read(cached)).contains(manifest);
        }
    }

    @Test
    void anEncoderToo() throws IOException {
        Path model = TinyCheckpoint.bert(Files.createDirectory(temp.resolve("bert")), "BertModel", "")
                .write()
                .folder();
        EncoderExport.export(model, temp.resolve("export"), EncoderWeights.BITS_8)
                .run();
        Path cached = EncoderExport.cached(model, EncoderWeights.BITS_8, temp.resolve("cache"), JobContext.NONE);

        ArtifactManifest manifest =
                ArtifactManifest.read(temp.resolve("export")).orElseThrow();
        assertThat(manifest.kind()).isEqualTo(Kind.ENCODER);
        assertThat(manifest.options()).isEqualTo(Map.of("weights", "BITS_8"));
        checkInputs(manifest, List.of(model.resolve("config.json"), model.resolve("model.safetensors")));
        assertThat(ArtifactManifest.read(cached)).contains(manifest);
    }

    @Test
    void hashesAreTheSameWhereTheyAreRemembered() throws IOException {
        Path model = TinyDecoder.of("LlamaForCausalLM", "llama", 1).write(temp.resolve("model"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            for (Path file : checkpoint.files()) {
                Files.setLastModifiedTime(file, FileTime.fromMillis(1_000));
            }
            Path first = DecoderExport.cached(
                    checkpoint, ExportOptions.builder().build(), temp.resolve("cache"), JobContext.NONE);
            Path second = DecoderExport.cached(
                    checkpoint, ExportOptions.builder().maxContext(8).build(), temp.resolve("cache"), JobContext.NONE);
            assertThat(second).isNotEqualTo(first);
            assertThat(ArtifactManifest.read(second).orElseThrow().inputs())
                    .isEqualTo(ArtifactManifest.read(first).orElseThrow().inputs());
        }
    }

    private static void checkInputs(ArtifactManifest manifest, List<Path> files) throws IOException {
        assertThat(manifest.inputs()).hasSameSizeAs(files);
        for (int i = 0; i < files.size(); i++) {
            Path file = files.get(i);
            assertThat(manifest.inputs().get(i))
                    .isEqualTo(
                            new Input(file.getFileName().toString(), Files.size(file), Exports.sha256(List.of(file))));
        }
    }
}
