package dev.pollux.inference.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.job.Job;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufFile;
import dev.pollux.testkit.GgufBuilder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints written as GGUF are read back with the same tensors, configuration and texts. */
@NoLeaks
class GgufExportTest {

    private static final int WIDTH = 256;

    @TempDir
    Path folder;

    private static float[] random(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** A folder with a model of two layers; {@code settings} are further lines of its configuration. */
    private Path hub(String architecture, String settings) throws IOException {
        Random random = new Random(7);
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), """
                {"architectures": ["%s"], "hidden_size": 256, "num_attention_heads": 4, "num_key_value_heads": 2,
                 "num_hidden_layers": 2, "intermediate_size": 256, "vocab_size": 32, "max_position_embeddings": 64,
                 "tie_word_embeddings": false%s}""".formatted(architecture, settings));
        Files.writeString(model.resolve("README.md"), "---\nlicense: mit\n---\nA model.\n");
        Files.writeString(model.resolve("chat_template.jinja"), "{{ messages }}");
        SafetensorsBuilder weights = new SafetensorsBuilder()
                .floats("model.embed_tokens.weight", random(random, 32 * WIDTH), 32, WIDTH)
                .floats("lm_head.weight", random(random, 32 * WIDTH), 32, WIDTH)
                .floats("model.norm.weight", random(random, WIDTH), WIDTH);
        for (int layer = 0; layer < 2; layer++) {
            String at = "model.layers." + layer + ".";
            for (String name :
                    List.of("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")) {
                weights.floats(at + name + ".weight", random(random, WIDTH * WIDTH), WIDTH, WIDTH);
            }
            for (String name : List.of("self_attn.k_proj", "self_attn.v_proj")) {
                weights.floats(at + name + ".weight", random(random, 128 * WIDTH), 128, WIDTH);
            }
            for (String name : List.of("input_layernorm", "post_attention_layernorm")) {
                weights.floats(at + name + ".weight", random(random, WIDTH), WIDTH);
            }
        }
        weights.write(model.resolve("model.safetensors"));
        return model;
    }

    private static GgufOptions of(GgufType type) {
        return GgufOptions.builder().type(type).threads(2).build();
    }

    @Test
    void aFileHasAManifestOfItsInputs(@org.junit.jupiter.api.io.TempDir Path folder) throws IOException {
        Path model = dev.pollux.testkit.TinyDecoder.llama(1).write(folder.resolve("model"));
        Path target = folder.resolve("model.gguf");
        GgufExport.job(model, target, GgufOptions.builder().type(GgufType.F16).build())
                .run();
        dev.pollux.artifact.ArtifactManifest manifest =
                dev.pollux.artifact.ArtifactManifest.readOf(target).orElseThrow();
        assertThat(manifest.operation()).isEqualTo("gguf");
        assertThat(manifest.options()).containsEntry("type", "f16");
        assertThat(manifest.inputs())
                .anySatisfy(input -> assertThat(input.path()).endsWith("model.safetensors"));
        assertThat(folder.resolve("model.gguf.artifact.json")).isRegularFile();
    }

    @Test
    void aFolderIsReadBackWithItsTensorsConfigurationAndTexts() throws IOException {
        Path model = hub("LlamaForCausalLM", ", \"rope_theta\": 50000.0, \"rms_norm_eps\": 0.0009765625");
        Path target = folder.resolve("model.gguf");
        GgufReport report = GgufExport.job(model, target, of(GgufType.F32)).run();
        assertThat(report.content().bytes()).isEqualTo(Files.size(target));
        assertThat(report.content()).isEqualTo(GgufExport.plan(model, of(GgufType.F32)));
        try (Checkpoint from = Checkpoint.open(model);
                Checkpoint to = Checkpoint.open(target);
                GgufFile file = GgufFile.open(target)) {
            assertThat(to.config()).isEqualTo(from.config());
            assertThat(to.chatTemplate()).hasValue("{{ messages }}");
            assertThat(file.string("general.license")).hasValue("mit");
            assertThat(to.tensors().tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(
                            from.tensors().tensors().keySet());
            for (String name : from.tensors().tensors().keySet()) {
                assertThat(to.tensors().floats(name))
                        .as(name)
                        .containsExactly(from.tensors().floats(name));
            }
        }
    }

    @Test
    void tensorsGetTheTypesThatTheMixtureHas() throws IOException {
        Path model = hub("LlamaForCausalLM", "");
        GgufPreview preview = GgufExport.plan(model, of(GgufType.Q4_K));
        assertThat(types(preview, "output.weight", "token_embd.weight", "output_norm.weight"))
                .containsExactly(DType.Q6_K, DType.Q4_K, DType.F32);
        assertThat(types(preview, "blk.0.attn_q.weight", "blk.0.attn_v.weight", "blk.1.attn_v.weight"))
                .containsExactly(DType.Q4_K, DType.Q4_K, DType.Q6_K);
        assertThat(types(preview, "blk.0.ffn_down.weight", "blk.1.ffn_down.weight", "blk.1.ffn_up.weight"))
                .containsExactly(DType.Q4_K, DType.Q6_K, DType.Q4_K);
        GgufPreview ruled = GgufExport.plan(
                model,
                GgufOptions.builder()
                        .type(GgufType.Q4_0)
                        .rule(new GgufOptions.Rule("*.ffn_*.weight", DType.F16))
                        .build());
        assertThat(types(ruled, "output.weight", "blk.0.ffn_up.weight", "blk.0.ffn_norm.weight", "blk.0.attn_q.weight"))
                .containsExactly(DType.Q6_K, DType.F16, DType.F32, DType.Q4_0);
    }

    private static List<DType> types(GgufPreview preview, String... names) {
        return Stream.of(names)
                .map(name -> preview.tensors().stream()
                        .filter(one -> one.name().equals(name))
                        .findFirst()
                        .orElseThrow()
                        .type())
                .toList();
    }

    @Test
    void rowsThatAreNoMultipleOfTheBlockGetASmallerOne() {
        Path model = new GgufBuilder()
                .put("general.architecture", "other")
                .floats("blk.0.ffn_up.weight", new float[2 * 288], 2, 288)
                .floats("blk.0.ffn_gate.weight", new float[2 * 24], 2, 24)
                .write(folder.resolve("a.gguf"));
        GgufPreview preview = GgufExport.plan(model, of(GgufType.Q4_K));
        assertThat(types(preview, "blk.0.ffn_up.weight", "blk.0.ffn_gate.weight"))
                .containsExactly(DType.Q5_0, DType.F16);
        assertThat(preview.notices())
                .containsExactly("2 tensors have rows that the blocks of their type do not divide; they get a type"
                        + " with smaller blocks");
        assertThat(types(GgufExport.plan(model, of(GgufType.Q6_K)), "blk.0.ffn_up.weight"))
                .containsExactly(DType.Q8_0);
    }

    @Test
    void aGgufFileKeepsItsMetadataWithTheirTypes() throws IOException {
        Path model = hub("LlamaForCausalLM", "");
        Path first = folder.resolve("f32.gguf");
        Path second = folder.resolve("q8.gguf");
        GgufExport.job(model, first, of(GgufType.F32)).run();
        GgufExport.job(first, second, of(GgufType.Q8_0)).run();
        Path direct = folder.resolve("direct.gguf");
        GgufExport.job(model, direct, of(GgufType.Q8_0)).run();
        assertThat(second).hasSameBinaryContentAs(direct);
        Path copy = folder.resolve("copy.gguf");
        GgufExport.job(second, copy, GgufOptions.builder().threads(5).build()).run();
        assertThat(copy).hasSameBinaryContentAs(second);
    }

    @Test
    void unknownArchitecturesTensorsAndSettingsAreRefusedBeforeAnythingIsWritten() throws IOException {
        refuses(
                hub("GPT2LMHeadModel", ""),
                " cannot be written as GGUF: the architecture 'GPT2LMHeadModel' cannot be written, only "
                        + GgufExport.architectures() + "; use the folder, or export it to ONNX");
        refuses(
                hub("MistralForCausalLM", ", \"sliding_window\": 16"),
                " cannot be written as GGUF: sliding_window 16 is below the context of 64 tokens, and files of the"
                        + " architecture llama have no window; use the folder, or export it to ONNX");
        refuses(
                hub("Qwen2ForCausalLM", ", \"hidden_act\": \"relu\""),
                " cannot be written as GGUF: the activation 'relu' is not the one of qwen2; use the folder, or export it"
                        + " to ONNX");
        refuses(
                hub("Qwen2ForCausalLM", ", \"rope_scaling\": {\"rope_type\": \"llama3\"}"),
                " cannot be written as GGUF: the rotary scaling 'llama3' needs the architecture llama; use the folder, or"
                        + " export it to ONNX");
    }

    private void refuses(Path model, String message) {
        Path target = folder.resolve("out.gguf");
        assertThatThrownBy(() ->
                        GgufExport.job(model, target, GgufOptions.DEFAULTS).run())
                .isInstanceOf(dev.pollux.UnsupportedModelException.class)
                .hasMessage(model + message);
        assertThat(folder).isDirectoryNotContaining(file -> file.toString().contains("out.gguf"));
    }

    @Test
    void badWeightsLeaveNothingBehind() {
        Path model = new GgufBuilder()
                .put("general.architecture", "other")
                .floats("blk.0.ffn_up.weight", new float[] {1, 2, Float.NaN, 4}, 1, 4)
                .write(folder.resolve("a.gguf"));
        Path target = folder.resolve("out.gguf");
        assertThatThrownBy(() -> GgufExport.job(model, target, of(GgufType.F16)).run())
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        "Element 2 of blk.0.ffn_up.weight must be a number of magnitude at most 65504.0 for F16 but was"
                                + " NaN; the model is damaged");
        assertThat(folder).isDirectoryNotContaining(file -> file.toString().contains("out.gguf"));
    }

    @Test
    void aCancelledJobLeavesNothingBehind() throws IOException {
        Path target = folder.resolve("out.gguf");
        Job<GgufReport> job = GgufExport.job(hub("LlamaForCausalLM", ""), target, of(GgufType.Q8_0));
        job.onEvent(event -> {
            if (event instanceof dev.pollux.job.JobEvent.Progress) {
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(folder).isDirectoryNotContaining(file -> file.toString().contains("out.gguf"));
    }

    @Test
    void existingTargetsOtherNamesAndRulesWithoutTensorsAreRefused() throws IOException {
        Path model = hub("LlamaForCausalLM", "");
        Path existing = Files.writeString(folder.resolve("mine.gguf"), "mine");
        assertThatThrownBy(() ->
                        GgufExport.job(model, existing, GgufOptions.DEFAULTS).run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(existing + " must not exist; choose another name or delete it");
        assertThat(existing).hasContent("mine");
        Path other = folder.resolve("out.bin");
        assertThatThrownBy(
                        () -> GgufExport.job(model, other, GgufOptions.DEFAULTS).run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(other + " must end in .gguf; choose another name");
        GgufOptions options = GgufOptions.builder()
                .rule(new GgufOptions.Rule("*.mlp.*", DType.F16))
                .build();
        assertThatThrownBy(() -> GgufExport.plan(model, options))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("rule '*.mlp.*' must match a tensor but matches none, such as model; correct the pattern"
                        .replace(
                                "model;",
                                GgufExport.plan(model, GgufOptions.DEFAULTS)
                                                .tensors()
                                                .get(0)
                                                .name()
                                        + ";"));
    }
}
