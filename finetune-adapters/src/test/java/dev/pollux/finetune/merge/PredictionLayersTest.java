package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergeReport;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers of multi-token prediction are no layers of the stack. */
@NoLeaks
class PredictionLayersTest {

    @TempDir
    Path temp;

    /** A model of two layers with {@code tensors} besides. */
    private void write(String name, String settings, String... tensors) throws IOException {
        SafetensorsBuilder file = new SafetensorsBuilder();
        file.floats("model.embed_tokens.weight", new float[8], 4, 2);
        for (int layer = 0; layer < 2; layer++) {
            file.floats("model.layers." + layer + ".mlp.up_proj.weight", new float[] {layer, 1, 2, 3}, 2, 2);
        }
        for (String tensor : tensors) {
            file.floats(tensor, new float[] {1, 2, 3, 4}, 2, 2);
        }
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(
                folder.resolve("config.json"), "{\"num_hidden_layers\": 2, \"vocab_size\": 4" + settings + "}");
    }

    private ObjectNode merged(String plan) {
        MergeReport report = CheckpointMerger.in(temp)
                .merge(MergekitYaml.parse(plan), temp.resolve("out"))
                .run();
        notices = String.join("\n", report.notices());
        return JsonFile.object(temp.resolve("out/config.json")).orElseThrow();
    }

    private String notices = "";

    private Set<String> tensors() {
        try (SafetensorsFolder file = SafetensorsFolder.open(temp.resolve("out"))) {
            return new TreeSet<>(file.tensors().keySet());
        }
    }

    private static final String LINEAR =
            "merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\n";

    @Test
    void theyAreMergedAndNotCountedWhereNoLayerMoves() throws IOException {
        write("a", ", \"num_nextn_predict_layers\": 1", "model.layers.2.mlp.up_proj.weight");
        write("b", ", \"num_nextn_predict_layers\": 1", "model.layers.2.mlp.up_proj.weight");

        ObjectNode config = merged(LINEAR);

        assertThat(config.path("num_hidden_layers").asInt()).isEqualTo(2);
        assertThat(config.path("num_nextn_predict_layers").asInt()).isEqualTo(1);
        assertThat(tensors()).contains("model.layers.2.mlp.up_proj.weight");
        assertThat(notices).isEmpty();
    }

    @Test
    void theyAreKnownByTheirTensorsToo() throws IOException {
        write("a", "", "model.layers.2.eh_proj.weight");
        write("b", "", "model.layers.2.eh_proj.weight");

        assertThat(merged(LINEAR).path("num_hidden_layers").asInt()).isEqualTo(2);
        assertThat(tensors()).contains("model.layers.2.eh_proj.weight");
    }

    @Test
    void slicesLeaveThemOut() throws IOException {
        write("a", ", \"num_nextn_predict_layers\": 1", "model.layers.2.eh_proj.weight");

        ObjectNode config = merged("merge_method: passthrough\nslices:\n"
                + "  - sources: [{model: a, layer_range: [0, 2]}]\n  - sources: [{model: a, layer_range: [1, 2]}]\n");

        assertThat(config.path("num_hidden_layers").asInt()).isEqualTo(3);
        assertThat(config.path("num_nextn_predict_layers").asInt()).isZero();
        assertThat(tensors())
                .containsExactly(
                        "model.embed_tokens.weight",
                        "model.layers.0.mlp.up_proj.weight",
                        "model.layers.1.mlp.up_proj.weight",
                        "model.layers.2.mlp.up_proj.weight");
        assertThat(notices)
                .isEqualTo(
                        "the layers of multi-token prediction are left out (model.layers.2.eh_proj.weight and 0 more),"
                                + " since the layers or tokens that they follow change; generation does not need them");
    }

    @Test
    void aModelWithoutThemTakesThemOutOfTheResult() throws IOException {
        write("a", ", \"mtp_num_hidden_layers\": 1", "mtp.layers.0.mlp.up_proj.weight", "mtp.fc.weight");
        write("b", ", \"mtp_num_hidden_layers\": 1");

        ObjectNode config = merged(LINEAR);

        assertThat(config.path("mtp_num_hidden_layers").asInt()).isZero();
        assertThat(tensors()).noneMatch(name -> name.startsWith("mtp"));
        assertThat(notices)
                .isEqualTo("the layers of multi-token prediction are left out (mtp.fc.weight and 1 more), since not all"
                        + " models have them alike; generation does not need them");
    }
}
