package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.merging.MergeReport;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What else a model's folder holds comes along. */
@NoLeaks
class CarriedFilesTest {

    private static final Set<String> MADE = Set.of(
            "artifact.json", "config.json", "model.safetensors", "README.md", "merge-report.json", "merge-report.html");

    @TempDir
    Path temp;

    @BeforeEach
    void model() throws IOException {
        TestModels.write(temp.resolve("m"), 1, 1, 2);
    }

    private void file(String name) throws IOException {
        Path file = temp.resolve("m").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, name.endsWith(".json") ? "{}" : name);
    }

    private MergeReport merge(String more) {
        return CheckpointMerger.in(temp)
                .merge(MergekitYaml.parse("merge_method: passthrough\nmodels: [m]\n" + more), temp.resolve("out"))
                .run();
    }

    private Set<String> carried() throws IOException {
        try (Stream<Path> files = Files.walk(temp.resolve("out"))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> temp.resolve("out").relativize(file).toString().replace('\\', '/'))
                    .filter(name -> !MADE.contains(name))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void everythingButWeightsAndWhatIsMadeAnew() throws IOException {
        List<String> due = List.of(
                "1_Pooling/config.json",
                "LICENSE",
                "additional_chat_templates/tool_use.jinja",
                "chat_template.json",
                "configuration_own.py",
                "modeling_own.py",
                "modules.json",
                "preprocessor_config.json",
                "processor_config.json",
                "qwen.tiktoken",
                "sentence_bert_config.json",
                "tekken.json",
                "tokenizer.model",
                "tokenizer_config.json",
                "video_preprocessor_config.json");
        for (String name : due) {
            file(name);
        }
        for (String name : List.of(
                "pytorch_model.bin",
                "tf_model.h5",
                "flax_model.msgpack",
                "m.gguf",
                "onnx/model.onnx",
                "optimizer.pt",
                "pytorch_model.bin.index.json",
                "trainer_state.json",
                "training_args.bin",
                "README.md",
                ".gitattributes",
                ".cache/a",
                "checkpoint-10/model.safetensors",
                "checkpoint-10/config.json",
                "mergekit_config.yml",
                "original/params.json",
                "__pycache__/a.pyc",
                "merge-report.json",
                "a.bin.incomplete")) {
            file(name);
        }

        MergeReport report = merge("");

        assertThat(report.notices()).isEmpty();
        assertThat(report.carriedFiles()).containsExactlyElementsOf(due);
        assertThat(carried()).containsExactlyElementsOf(due);
        assertThat(JsonFile.object(temp.resolve("out/merge-report.json"))
                        .orElseThrow()
                        .path("carriedFiles"))
                .extracting(JsonNode::asString)
                .containsExactlyElementsOf(due);
    }

    @Test
    void modulesOfASentenceEncoderKeepTheirWeights() throws IOException {
        file("2_Dense/config.json");
        file("2_Dense/model.safetensors");
        Files.writeString(temp.resolve("m/modules.json"), "[{\"path\": \"\"}, {\"path\": \"2_Dense\"}]");

        assertThat(merge("").notices())
                .containsExactly(
                        "2_Dense/model.safetensors is the first model's: weights of modules after the model are not"
                                + " merged");
        assertThat(carried()).containsExactly("2_Dense/config.json", "2_Dense/model.safetensors", "modules.json");
    }

    @Test
    void linksOutOfTheFolderAreNotFollowed() throws IOException {
        Files.writeString(temp.resolve("secret"), "secret");
        Files.createSymbolicLink(temp.resolve("m/notes.txt"), temp.resolve("secret"));
        file("kept.txt");
        Files.createSymbolicLink(temp.resolve("m/same.txt"), Path.of("kept.txt"));

        assertThat(merge("").notices())
                .containsExactly(
                        "notes.txt is a link out of the model's folder and is left out; put the file itself there");
        assertThat(carried()).containsExactly("kept.txt", "same.txt");
    }

    @Test
    void pointersOfGitLfsAreNamed() throws IOException {
        Files.writeString(
                temp.resolve("m/tokenizer.model"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");

        assertThat(merge("").notices())
                .containsExactly(
                        "tokenizer.model is left out: it is a Git LFS pointer, not the file itself; fetch the file"
                                + " with git lfs pull");
        assertThat(carried()).isEmpty();
    }

    @Test
    void linksOfTheHubsCacheAreFollowed() throws IOException {
        Path cache = temp.resolve("models--o--n");
        TestModels.write(cache.resolve("snapshots/abc"), 1, 1, 2);
        Files.createDirectories(cache.resolve("blobs"));
        Files.writeString(cache.resolve("blobs/123"), "{}");
        Files.createSymbolicLink(cache.resolve("snapshots/abc/preprocessor_config.json"), Path.of("../../blobs/123"));

        CheckpointMerger.in(temp)
                .merge(
                        MergekitYaml.parse("merge_method: passthrough\nmodels: [models--o--n/snapshots/abc]\n"),
                        temp.resolve("out"))
                .run();

        assertThat(carried()).containsExactly("preprocessor_config.json");
    }

    @Test
    void aTemplateOfThePlanTakesThePlaceOfTheModels() throws IOException {
        file("chat_template.json");

        merge("chat_template: chatml\n");

        assertThat(carried()).containsExactly("chat_template.jinja");
    }
}
