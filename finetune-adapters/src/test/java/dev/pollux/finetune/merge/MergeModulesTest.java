package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plans with a part for each module of models that also see. */
@NoLeaks
class MergeModulesTest {

    @TempDir
    Path temp;

    @BeforeEach
    void write() throws IOException {
        write("one", 1);
        write("two", 2);
    }

    /** Every value of a model is {@code value}, plus its layer. */
    private void write(String name, float value) throws IOException {
        SafetensorsBuilder file = new SafetensorsBuilder();
        put(file, "model.language_model.embed_tokens.weight", value);
        put(file, "lm_head.weight", value);
        put(file, "model.language_model.norm.weight", value);
        for (int layer = 0; layer < 3; layer++) {
            put(file, "model.language_model.layers." + layer + ".mlp.up_proj.weight", value + layer);
        }
        for (int block = 0; block < 2; block++) {
            put(file, "model.visual.blocks." + block + ".mlp.fc1.weight", value + block);
        }
        put(file, "model.visual.patch_embed.proj.weight", value);
        put(file, "model.multi_modal_projector.linear.weight", value);
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(
                folder.resolve("config.json"),
                "{\"model_type\": \"sees\", \"text_config\": {\"num_hidden_layers\": 3}, \"vision_config\": {\"depth\": 2}}");
    }

    private static void put(SafetensorsBuilder file, String name, float value) {
        ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 4; i++) {
            bytes.putFloat(value);
        }
        file.tensor(name, DType.F32, bytes.array(), 2, 2);
    }

    private static final String PLAN = """
            merge_method: linear
            modules:
              text_decoder:
                slices:
                  - sources: [{model: one, layer_range: [0, 2]}, {model: two, layer_range: [0, 2]}]
                  - sources: [{model: two, layer_range: [1, 3]}]
                parameters: {weight: 1}
              vision_tower:
                models: [{model: one, parameters: {weight: 3}}, {model: two}]
              model.multi_modal_projector:
                models: [two]
            parameters: {weight: 1}
            """;

    private float at(SafetensorsFolder file, String name) {
        return file.floats(name)[0];
    }

    @Test
    void eachModuleIsMergedInItsOwnWay() {
        CheckpointMerger merger = CheckpointMerger.in(temp);
        MergePlan plan = MergekitYaml.parse(PLAN);
        assertThat(merger.plan(plan).problems()).isEmpty();
        Path target = temp.resolve("merged");

        merger.merge(plan, target).run();

        try (SafetensorsFolder file = SafetensorsFolder.open(target)) {
            String layers = "model.language_model.layers.";
            assertThat(at(file, layers + "0.mlp.up_proj.weight")).isEqualTo(1.5f);
            assertThat(at(file, layers + "1.mlp.up_proj.weight")).isEqualTo(2.5f);
            assertThat(at(file, layers + "2.mlp.up_proj.weight")).isEqualTo(3);
            assertThat(at(file, layers + "3.mlp.up_proj.weight")).isEqualTo(4);
            assertThat(at(file, "model.language_model.embed_tokens.weight")).isEqualTo(1.5f);
            assertThat(at(file, "lm_head.weight")).isEqualTo(2);
            assertThat(at(file, "model.visual.blocks.1.mlp.fc1.weight")).isEqualTo(2.25f);
            assertThat(at(file, "model.visual.patch_embed.proj.weight")).isEqualTo(1.25f);
            assertThat(at(file, "model.multi_modal_projector.linear.weight")).isEqualTo(2);
            assertThat(file.tensors()).hasSize(11);
        }
        var config = JsonFile.object(target.resolve("config.json")).orElseThrow();
        assertThat(config.path("text_config").path("num_hidden_layers").asInt()).isEqualTo(4);
        assertThat(config.path("vision_config").path("depth").asInt()).isEqualTo(2);
        assertThat(target.resolve("README.md")).content().contains("- `two`, a module without layers");
    }

    @Test
    void aReplayFollowsTheModules() {
        CheckpointMerger merger = CheckpointMerger.in(temp);
        merger.merge(MergekitYaml.parse(PLAN), temp.resolve("merged")).run();

        merger.replay(temp.resolve("merged").resolve("merge-report.json"), temp.resolve("again"))
                .run();

        assertThat(temp.resolve("again").resolve("model.safetensors"))
                .hasSameBinaryContentAs(temp.resolve("merged").resolve("model.safetensors"));
    }

    @Test
    void plansOfModulesSurviveBeingWritten() {
        MergePlan read = MergekitYaml.parse(PLAN);

        assertThat(read.modules())
                .extracting(MergePlan.Module::name)
                .containsExactly("text_decoder", "vision_tower", "model.multi_modal_projector");
        assertThat(read.models().map(ModelReference::toString).distinct()).containsExactly("one", "two");
        assertThat(MergekitYaml.parse(PlanWriter.yaml(PlanWriter.documents(read))))
                .isEqualTo(read);
    }

    private List<String> errors(String plan) {
        return CheckpointMerger.in(temp).plan(MergekitYaml.parse(plan)).problems().stream()
                .filter(MergeProblem::isFatal)
                .map(MergeProblem::message)
                .toList();
    }

    @Test
    void tensorsOfNoModuleAreAnError() {
        assertThat(errors("""
                merge_method: linear
                modules: {text_decoder: {models: [one]}, vision: {models: [two]}}
                parameters: {weight: 1}
                """))
                .containsExactly("tensor model.multi_modal_projector.linear.weight belongs to no module of the plan,"
                        + " which names text_decoder, vision; name its module too");
    }

    @Test
    void aModuleThatTheModelsDoNotHaveIsAnError() throws IOException {
        assertThat(errors(PLAN.replace(
                        "  model.multi_modal_projector:",
                        "  audio_tower: {models: [one]}\n  model.multi_modal_projector:")))
                .containsExactly("module audio_tower has no tensors in these models; their parts are lm_head,"
                        + " model.language_model, model.multi_modal_projector, model.visual");
        TestModels.write(temp.resolve("plain"), 1, 2, 4);
        assertThat(errors("""
                merge_method: linear
                modules: {text_decoder: {models: [plain]}, vision: {models: [plain]}}
                parameters: {weight: 1}
                """))
                .containsExactly("module vision has no tensors in these models; they have one module, so give models or"
                        + " slices at the top of the plan");
    }

    @Test
    void onlyTheLanguageModelCanBeStackedAnew() {
        assertThat(errors(PLAN.replace(
                        "models: [{model: one, parameters: {weight: 3}}, {model: two}]",
                        "slices: [{sources: [{model: one, layer_range: [0, 1]}]}]")))
                .containsExactly(
                        "module vision_tower must keep its 2 layers but gets 1; only the language model's layers"
                                + " can be stacked anew");
    }

    @Test
    void aBuilderTakesModulesOrModels() {
        MergePlan.Slice slice = new MergePlan.Slice(
                List.of(new MergePlan.Input(ModelReference.parse("one"), Optional.empty(), Map.of())),
                Optional.empty(),
                Map.of());
        MergePlan.Builder builder =
                MergePlan.builder("linear").module(new MergePlan.Module("text_decoder", List.of(slice), Map.of()));
        assertThat(builder.build().allSlices()).containsExactly(slice);

        assertThatThrownBy(() -> builder.model("one", Map.of()).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a plan of modules takes models, slices and their parameters in each; give them there");
    }
}
