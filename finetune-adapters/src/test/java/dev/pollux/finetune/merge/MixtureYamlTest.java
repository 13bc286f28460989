package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.job.Job;
import dev.pollux.merging.MergePreview;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a plan for a mixture says, and what is wrong with it. */
class MixtureYamlTest {

    @TempDir
    Path temp;

    @TempDir
    Path models;

    @BeforeEach
    void write() {
        TinyDecoder.llama(1).write(models.resolve("base"));
        TinyDecoder.llama(1).tuned(2, 0.01).write(models.resolve("ft-a"));
        TinyDecoder.llama(1).tuned(3, 0.05).write(models.resolve("ft-b"));
        TinyDecoder.llama(4).inner(24).write(models.resolve("ft-short"));
    }

    @Test
    void aPlanIsReadAsItIs() {
        MixturePlan plan = MixtureYaml.parse("""
                base_model: base
                gate_mode: cheap_embed
                dtype: bfloat16
                experts_per_token: 1
                experts:
                  - source_model: a
                    positive_prompts: ["x", 7]
                    negative_prompts: ["y"]
                    noise_scale: 0.1
                    residual_scale: "0.5"
                shared_experts:
                  - source_model: s
                """);

        assertThat(plan.findings()).isEmpty();
        assertThat(plan.gateMode()).isEqualTo(MixturePlan.GateMode.CHEAP_EMBED);
        assertThat(plan.dtype()).contains("bfloat16");
        assertThat(plan.expertsPerToken()).isEqualTo(1);
        assertThat(plan.experts())
                .containsExactly(new MixturePlan.Expert(
                        dev.pollux.merging.ModelReference.parse("a"), List.of("x", "7"), List.of("y"), 0.1, 0.5));
        assertThat(plan.sharedExperts()).containsExactly(MixturePlan.Expert.of("s", List.of()));
    }

    @Test
    void everythingWrongIsSaidInOneList() {
        MixturePlan plan = MixtureYaml.parse("""
                base_model: base
                gate_mode: hiden
                dtyp: float32
                experts_per_token: 3
                experts:
                  - source_model: ft-a
                    positive_prompt: ["x"]
                  - source_model: ft-zzz
                shared_experts:
                  - source_model: ft-b
                """);

        MergePreview preview = MixtureMerger.in(models).plan(plan);

        assertThat(preview.errors())
                .contains(
                        "gate_mode hiden is unknown (did you mean hidden?); known are hidden, hidden_last, hidden_avg,"
                                + " cheap_embed, random, uniform_random",
                        "experts_per_token must be at most 2, the number of experts, but is 3",
                        "shared_experts must be 0 for MixtralForCausalLM but are 1")
                .anyMatch(error -> error.startsWith("model ft-zzz not found"));
        assertThat(preview.notices())
                .containsExactly(
                        "unknown key dtyp (did you mean dtype?) has no effect",
                        "experts 1: unknown key positive_prompt (did you mean positive_prompts?) has no effect");
        assertThat(preview.tensors()).isEmpty();
    }

    @Test
    void expertsNeedPromptsUnlessTheirGatesAreRandom() {
        MixturePlan plan = MixtureYaml.parse("""
                base_model: base
                experts: [{source_model: ft-a}, {source_model: ft-b, positive_prompts: [x]}]
                """);

        assertThat(MixtureMerger.in(models).plan(plan).errors())
                .containsExactly("expert ft-a has no positive_prompts, which its router is made of; give some, or"
                        + " gate_mode random for a model that is trained afterwards");
        assertThatThrownBy(() ->
                        MixtureMerger.in(models).merge(plan, temp.resolve("x")).run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("The plan cannot be merged:\n- expert ft-a");
    }

    @Test
    void expertsOfAnotherShapeAreRefused() {
        MixturePlan plan = MixturePlan.builder("base")
                .gateMode(MixturePlan.GateMode.RANDOM)
                .expert(MixturePlan.Expert.of("ft-short", List.of()))
                .expert(MixturePlan.Expert.of("ft-a", List.of()))
                .build();

        assertThat(MixtureMerger.in(models).plan(plan).errors())
                .anyMatch(error -> error.startsWith("expert ft-short cannot be one: model.layers."));
    }

    @Test
    void theSameSeedGivesTheSameBytesAndNoiseIsDrawnByIndex() throws IOException {
        MixturePlan plan = MixtureYaml.parse("""
                base_model: base
                gate_mode: uniform_random
                experts: [{source_model: ft-a, noise_scale: 0.1}, {source_model: ft-b}]
                """);
        Path one = temp.resolve("one");
        Path two = temp.resolve("two");
        MixtureMerger.in(models, MergeOptions.builder().threads(1).build())
                .merge(plan, one)
                .run();
        MixtureMerger.in(models, MergeOptions.builder().threads(2).build())
                .merge(plan, two)
                .run();

        assertThat(two.resolve("model.safetensors")).hasSameBinaryContentAs(one.resolve("model.safetensors"));
    }

    @Test
    void aCancelledMixtureLeavesNothing() throws IOException {
        MixturePlan plan = MixturePlan.builder("base")
                .expert(MixturePlan.Expert.of("ft-a", List.of("x")))
                .expert(MixturePlan.Expert.of("ft-b", List.of("y")))
                .build();
        Job<MixtureReport> job = MixtureMerger.in(models).merge(plan, temp.resolve("mixture"));
        job.onEvent(event -> job.cancel());

        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        try (Stream<Path> left = Files.list(temp)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void aPlanWithoutABaseIsNone() {
        assertThatThrownBy(() -> MixtureYaml.parse("experts: []"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("base_model is missing; name the model that gives attention, norms and embeddings");
    }
}
