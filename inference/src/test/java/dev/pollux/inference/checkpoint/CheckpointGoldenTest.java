package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.pollux.PolluxException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.internal.OpenHandle;
import dev.pollux.tensor.GgufFile;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Held by the checkpoints of {@code golden/decoder}, {@code golden/tokenizer/gguf} and {@code golden/gguf}. */
final class CheckpointGoldenTest {

    @TempDir
    Path temporary;

    @TestFactory
    Stream<DynamicTest> foldersOpenWithWhatTheirConfigurationSays() {
        return folders()
                .map(folder -> dynamicTest(folder.getFileName().toString(), () -> {
                    int before = OpenHandle.open().size();
                    checkFolder(folder);
                    assertThat(OpenHandle.open()).hasSize(before);
                }));
    }

    private static void checkFolder(Path folder) {
        JsonNode json = json(folder.resolve("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            ModelConfig config = checkpoint.config();
            assertThat(config.hiddenSize())
                    .isEqualTo(
                            json.path("hidden_size").asInt(json.path("n_embd").asInt()));
            assertThat(config.layers())
                    .isEqualTo(json.path("num_hidden_layers")
                            .asInt(json.path("n_layer")
                                    .asInt(json.path("layers_block_type").size())));
            assertThat(config.vocabularySize())
                    .isEqualTo(json.path("vocab_size").asInt());
            assertThat(config.tiedEmbedding())
                    .isEqualTo(json.path("tie_word_embeddings").asBoolean());
            assertThat(checkpoint.path()).isEqualTo(folder);
            assertThat(checkpoint.files())
                    .contains(folder.resolve("config.json"))
                    .anyMatch(file -> file.toString().endsWith(".safetensors"))
                    .noneMatch(file -> file.endsWith("expected.safetensors"));
            checkpoint
                    .tensors()
                    .tensors()
                    .forEach((name, info) ->
                            assertThat(checkpoint.tensors().floats(name)).hasSize((int) info.elements()));
        }
    }

    @TestFactory
    Stream<DynamicTest> bothSpellingsOfAConfigurationSayTheSame() {
        return folders()
                .filter(folder -> Files.isRegularFile(folder.resolve("config.v4.json")))
                .map(folder -> dynamicTest(folder.getFileName().toString(), () -> {
                    Path copy = copyWithOldSpelling(folder);
                    try (Checkpoint current = Checkpoint.open(folder);
                            Checkpoint old = Checkpoint.open(copy)) {
                        // Families with several rotary bases name none for the whole model.
                        assertThat(old.config())
                                .usingRecursiveComparison()
                                .ignoringFields("rotaryTheta")
                                .isEqualTo(current.config());
                    }
                }));
    }

    private Path copyWithOldSpelling(Path folder) throws IOException {
        Path copy = Files.createDirectories(temporary.resolve(folder.getFileName()));
        for (Path file : ReferenceData.cases(folder, Files::isRegularFile)) {
            Files.copy(file, copy.resolve(file.getFileName()));
        }
        Files.move(copy.resolve("config.v4.json"), copy.resolve("config.json"), StandardCopyOption.REPLACE_EXISTING);
        return copy;
    }

    @TestFactory
    Stream<DynamicTest> modelsInGgufHoldTheRowsOfTheReference() {
        Path set = ReferenceData.golden("tokenizer").resolve("gguf");
        return ReferenceData.cases(set, path -> path.toString().endsWith(".json")).stream()
                .flatMap(path -> json(path)
                        .path("models")
                        .valueStream()
                        .map(model -> dynamicTest(
                                path.getFileName() + " " + model.path("file").asString(),
                                () -> checkRows(set, path, model))));
    }

    private static void checkRows(Path set, Path description, JsonNode model) {
        Path path = set.resolve(model.path("file").asString());
        String stem = path.getFileName().toString().replace(".gguf", "");
        Path numbers = set.resolve(description.getFileName().toString().replace(".json", ".expected.safetensors"));
        try (GgufFile file = GgufFile.open(path);
                SafetensorsFile expected = SafetensorsFile.open(numbers);
                Checkpoint checkpoint = Checkpoint.open(path)) {
            JsonNode rows = model.path("row0_tensors");
            assertThat(rows.isEmpty()).isFalse();
            for (JsonNode row : rows) {
                String name = row.asString();
                TensorInfo info = file.info(name);
                assertThat(file.floats(name, 0, info.dim(info.shape().size() - 1)))
                        .as(name)
                        .isEqualTo(expected.floats(stem + "." + name + ".row0"));
            }
            assertThat(checkpoint.chatTemplate())
                    .contains(json(description).path("chat_template").asString());
            try (Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
                assertThat(tokenizer.vocabularySize())
                        .isEqualTo(checkpoint.config().vocabularySize());
            }
        }
    }

    /** The reference gives a query projection in the row order that rotation of halves needs. */
    @TestFactory
    Stream<DynamicTest> rowsOfQueriesComeBackInTheOrderOfTheHub() {
        Path set = ReferenceData.golden("gguf");
        String key = "q_proj_layer0_in_checkpoint_row_order";
        return ReferenceData.cases(
                        set,
                        path -> path.getFileName().toString().startsWith("tiny-llama")
                                && path.toString().endsWith(".gguf"))
                .stream()
                .map(path -> dynamicTest(path.getFileName().toString(), () -> {
                    Path reference = Path.of(path.toString().replace(".gguf", ".safetensors"));
                    try (SafetensorsFile expected = SafetensorsFile.open(reference);
                            Checkpoint checkpoint = Checkpoint.open(path)) {
                        String name = "model.layers.0.self_attn.q_proj.weight";
                        float[] stored;
                        try {
                            stored = checkpoint.tensors().floats(name);
                        } catch (UnsupportedModelException e) {
                            assertThat(e).hasMessageMatching("Tensor type Q._K cannot be read yet, only .*");
                            return;
                        }
                        if (expected.tensors().containsKey(key)) {
                            assertThat(nearest(stored, expected.floats(key))).isTrue();
                        }
                    }
                }));
    }

    /** Row by row, the quantized row is nearer to its own original than to any other. */
    private static boolean nearest(float[] stored, float[] original) {
        int columns = 64;
        for (int row = 0; row < stored.length / columns; row++) {
            int best = -1;
            double least = Double.MAX_VALUE;
            for (int other = 0; other < stored.length / columns; other++) {
                double distance = 0;
                for (int c = 0; c < columns; c++) {
                    double d = stored[row * columns + c] - original[other * columns + c];
                    distance += d * d;
                }
                if (distance < least) {
                    least = distance;
                    best = other;
                }
            }
            if (best != row) {
                return false;
            }
        }
        return true;
    }

    /** A model importer refuses what is no model, whatever the container holds. */
    @TestFactory
    Stream<DynamicTest> damagedFilesAreNoCheckpoints() {
        Path set = ReferenceData.golden("gguf").resolve("malformed-gguf");
        List<Path> files = ReferenceData.cases(set, path -> path.toString().endsWith(".gguf"));
        return files.stream()
                .map(path -> dynamicTest(
                        path.getFileName().toString(),
                        () -> assertThatThrownBy(() -> Checkpoint.open(path))
                                .isInstanceOf(PolluxException.class)
                                .hasMessageStartingWith(path.toString())));
    }

    private static Stream<Path> folders() {
        return ReferenceData.cases(
                ReferenceData.golden("decoder"), path -> Files.isRegularFile(path.resolve("config.json")))
                .stream();
    }

    private static JsonNode json(Path path) {
        try {
            return JsonNode.parse(Files.readString(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
