package dev.pollux.artifact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactManifestTest {

    private static final String HASH = "0123456789abcdef".repeat(4);

    private static final ArtifactManifest MERGE = new ArtifactManifest(
            Kind.CHECKPOINT,
            "merge",
            "0.1.0",
            List.of(new Input("base/model.safetensors", 12, HASH), new Input("b \"2\"/x.json", 0, HASH)),
            Map.of("dtype", "bfloat16", "a\nplan", "\\ \u0001 \ud83d\ude00 \ud83d"),
            OptionalLong.of(Long.MIN_VALUE),
            Map.of("perplexity", 18.8, "kl", 1e-7));

    @TempDir
    private Path folder;

    @Test
    void theFileIsTheDocumentedText() throws IOException {
        new ArtifactManifest(
                        Kind.ADAPTER,
                        "extract-lora",
                        "",
                        List.of(
                                new Input("base/model.safetensors", 12, HASH),
                                new Input("tuned/model.safetensors", 13, HASH)),
                        Map.of("rank", "16", "alpha", "8"),
                        OptionalLong.of(42),
                        Map.of("relativeError", 0.25))
                .write(folder);
        assertThat(Files.readString(folder.resolve("artifact.json"))).isEqualTo("""
            {
              "format": 1,
              "kind": "adapter",
              "operation": "extract-lora",
              "inputs": [
                {"path": "base/model.safetensors", "bytes": 12, "sha256": "HASH"},
                {"path": "tuned/model.safetensors", "bytes": 13, "sha256": "HASH"}
              ],
              "options": {
                "alpha": "8",
                "rank": "16"
              },
              "seed": 42,
              "scores": {
                "relativeError": 0.25
              }
            }
            """.replace("HASH", HASH));
    }

    @Test
    void whatIsWrittenIsRead() {
        MERGE.write(folder);
        assertThat(ArtifactManifest.read(folder)).contains(MERGE);
        ArtifactManifest least =
                ArtifactManifest.builder(Kind.KNOWLEDGE, "ingest").build();
        least.write(folder);
        assertThat(ArtifactManifest.read(folder)).contains(least);
        assertThat(least.seed()).isEmpty();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(folder.resolve("artifact.json"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void everyTextIsReadAsItWasWritten() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 200; i++) {
            StringBuilder text = new StringBuilder("x");
            for (int k = random.nextInt(12); k > 0; k--) {
                text.append((char) (random.nextBoolean() ? random.nextInt(128) : random.nextInt(1 << 16)));
            }
            ArtifactManifest written = ArtifactManifest.builder(Kind.ENCODER, "export")
                    .option(text.toString(), text)
                    .score(text.toString(), random.nextGaussian())
                    .build();
            written.write(folder);
            assertThat(ArtifactManifest.read(folder)).as("seed %d", seed).contains(written);
        }
    }

    @Test
    void scoresAreAddedLater() {
        ArtifactManifest scored = MERGE.withScores(Map.of("kl", 0.5, "topOne", 0.9));
        assertThat(scored.scores()).isEqualTo(Map.of("perplexity", 18.8, "kl", 0.5, "topOne", 0.9));
        assertThat(scored.withScores(MERGE.scores()).inputs()).isEqualTo(MERGE.inputs());
    }

    @Test
    void aFolderWithoutOneHasNone() {
        assertThat(ArtifactManifest.read(folder)).isEmpty();
        assertThat(ArtifactManifest.read(folder.resolve("absent"))).isEmpty();
        assertThatThrownBy(() -> MERGE.write(folder.resolve("absent")))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith(
                        "Cannot write " + folder.resolve("absent").resolve("artifact.json") + ": ");
    }

    @Test
    void whatIsDamagedSaysWhatIsWrong() throws IOException {
        Path file = folder.resolve("artifact.json");
        String rest = "\"operation\": \"merge\", \"inputs\": [], \"options\": {}, \"scores\": {}}";
        Map<String, String> damaged = Map.of(
                "[]",
                "the whole must be a map but was []",
                "{\"format\": 2}",
                "format must be 1 but was 2; read it with the version of Pollux that wrote it",
                "{\"format\": 1, \"kind\": \"cake\", " + rest,
                "kind cake is not known",
                "{\"format\": 1, \"kind\": \"adapter\", \"seed\": \"x\", " + rest,
                "seed must be a long but was x");
        for (Map.Entry<String, String> one : damaged.entrySet()) {
            Files.writeString(file, one.getKey());
            assertThatThrownBy(() -> ArtifactManifest.read(folder))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(file + " is not the manifest of an artifact: " + one.getValue());
        }
        Files.writeString(file, "{\"format\": ");
        assertThatThrownBy(() -> ArtifactManifest.read(folder)).isInstanceOf(MalformedFileException.class);
    }

    @Test
    void valuesThatMeanNothingAreRefused() {
        assertThatThrownBy(() -> new Input("a", 1, "ABC"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "An input must have a path, at least 0 bytes and a SHA-256 in 64 lower-case hexadecimal digits"
                                + " but was 'a', 1, 'ABC'");
        assertThatThrownBy(() -> MERGE.withScores(Map.of("kl", Double.NaN)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Score kl must be finite but was NaN");
        assertThatThrownBy(() -> ArtifactManifest.builder(Kind.DECODER, " ").build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("operation must not be blank; name what made the artifact");
    }
}
