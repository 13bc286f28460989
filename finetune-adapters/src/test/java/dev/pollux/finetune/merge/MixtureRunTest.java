package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.internal.layerwise.HiddenStates;
import dev.pollux.inference.internal.layerwise.LayerRunner;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Mixtures that run: of equal experts, whose weights sum to 1, it is the dense model again, whatever the routers say.
 */
@NoLeaks
class MixtureRunTest {

    private static final int[] IDS = {0, 139, 156, 132, 113, 35, 153};

    private static final List<String> PROMPTS = List.of("the quick brown fox", "sign and scale 0 1 2", "answer");

    @TempDir
    Path temp;

    @Test
    void aMixtralOfEqualExpertsIsTheLlama() throws IOException {
        checkEqualExperts("LlamaForCausalLM", "llama", "MixtralForCausalLM");
    }

    @Test
    void aMistralBecomesAMixtralToo() throws IOException {
        checkEqualExperts("MistralForCausalLM", "mistral", "MixtralForCausalLM");
    }

    @Test
    void aQwen3WithEqualExpertsIsTheQwen3() throws IOException {
        checkEqualExperts("Qwen3ForCausalLM", "qwen3", "Qwen3MoeForCausalLM");
    }

    @Test
    void aQwen2WhoseSharedExpertIsSilentIsTheQwen2() throws IOException {
        checkEqualExperts("Qwen2ForCausalLM", "qwen2", "Qwen2MoeForCausalLM");
    }

    private void checkEqualExperts(String architecture, String type, String due) throws IOException {
        checkEqualExperts(TinyDecoder.of(architecture, type, 1).write(temp.resolve("base")), type.equals("qwen2"), due);
    }

    private Path checkEqualExperts(Path dense, boolean shared, String due) {
        MixturePlan.Builder plan = MixturePlan.builder("base").gateMode(MixturePlan.GateMode.HIDDEN);
        PROMPTS.forEach(prompt -> plan.expert(MixturePlan.Expert.of("base", List.of(prompt))));
        if (shared) {
            plan.sharedExpert(new MixturePlan.Expert(ModelReference.parse("base"), List.of(), List.of(), 0, 0));
        }
        Path target = temp.resolve("mixture");

        MixtureReport report =
                MixtureMerger.in(temp).merge(plan.build(), target).run();

        assertThat(report.architecture()).isEqualTo(due);
        float[] one = logits(dense);
        float[] other = logits(target);
        for (int i = 0; i < one.length; i++) {
            assertThat(other[i]).isCloseTo(one[i], within(1e-4f));
        }
        return target;
    }

    private float[] logits(Path model) {
        return FloatEngine.logits(model, temp, IDS);
    }

    @Test
    void anLfm2WithEqualExpertsIsTheLfm2() throws IOException {
        Path dense = TinyLfm2.write(temp.resolve("base"));

        Path target = checkEqualExperts(dense, false, "Lfm2MoeForCausalLM");

        try (Checkpoint checkpoint = Checkpoint.open(target)) {
            assertThat(checkpoint.settings().integer("moe_intermediate_size")).isEqualTo(TinyLfm2.INNER);
            assertThat(checkpoint.settings().number("num_dense_layers", 1)).isZero();
            assertThat(checkpoint.tensors().tensors()).doesNotContainKey("model.layers.0.feed_forward.w1.weight");
        }
    }

    /** Another activation than SiLU was refused when hidden states were read. */
    @Test
    void aLlamaWithAnotherActivationBecomesAMixtral() throws IOException {
        Path dense = TinyDecoder.llama(1).write(temp.resolve("base"));
        Path config = dense.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("silu", "gelu_pytorch_tanh"));
        checkEqualExperts(dense, false, "MixtralForCausalLM");
    }

    @Test
    void theRouterOfALayerIsMadeOfTheStatesBeforeIt() throws IOException {
        Path base = TinyLfm2.write(temp.resolve("base"));
        Path target = checkEqualExperts(base, false, "Lfm2MoeForCausalLM");
        try (Checkpoint checkpoint = Checkpoint.open(base);
                SafetensorsFolder mixture = SafetensorsFolder.open(target);
                Tokenizer tokenizer = checkpoint.tokenizer().orElseThrow()) {
            LayerRunner runner =
                    LayerRunner.of(checkpoint.config(), checkpoint.settings(), checkpoint.tensors(), 64, 1);
            List<int[]> texts = new ArrayList<>();
            PROMPTS.forEach(prompt -> texts.add(tokenizer.encode("<s>" + prompt, false)));
            try (HiddenStates states = runner.embed(texts, JobContext.NONE)) {
                for (int layer = 0; layer < runner.layers(); layer++) {
                    float[] router = mixture.floats("model.layers." + layer + ".feed_forward.gate.weight");
                    states.forEach((text, x) -> {
                        double norm = 0;
                        for (int i = 0; i < TinyLfm2.WIDTH; i++) {
                            norm += Math.pow(x[x.length - TinyLfm2.WIDTH + i], 2);
                        }
                        for (int i = 0; i < TinyLfm2.WIDTH; i++) {
                            assertThat((double) router[text * TinyLfm2.WIDTH + i])
                                    .isCloseTo(x[x.length - TinyLfm2.WIDTH + i] / Math.sqrt(norm), within(1e-5));
                        }
                    });
                    try (LayerRunner.Layer next = runner.layer(layer, JobContext.NONE)) {
                        next.advance(states, JobContext.NONE);
                    }
                }
            }
        }
    }

    @Test
    void theStatesOfABaseWithAnAdapterAreThoseOfTheMergedModel() throws IOException {
        TinyDecoder model = TinyDecoder.llama(1);
        model.write(temp.resolve("base"));
        model.writeAdapter(temp.resolve("adapter"), 4, 8, TinyDecoder.PROJECTIONS);
        CheckpointMerger.in(temp)
                .merge(
                        MergekitYaml.parse("merge_method: passthrough\nmodels: [{model: base+adapter}]\n"),
                        temp.resolve("merged"))
                .run();
        float[] due = router("merged");
        float[] plain = router("base");

        float[] found = router("base+adapter");

        double apart = 0;
        for (int i = 0; i < due.length; i++) {
            assertThat(found[i]).isCloseTo(due[i], within(1e-5f));
            apart = Math.max(apart, Math.abs(plain[i] - due[i]));
        }
        assertThat(apart).isGreaterThan(1e-2);
    }

    /** The router of the last layer of a mixture with the base {@code base}. */
    private float[] router(String base) {
        MixturePlan.Builder plan = MixturePlan.builder(base);
        PROMPTS.forEach(prompt -> plan.expert(MixturePlan.Expert.of("base", List.of(prompt))));
        Path target = temp.resolve("mixture-of-" + base);
        MixtureMerger.in(temp).merge(plan.build(), target).run();
        try (SafetensorsFolder mixture = SafetensorsFolder.open(target)) {
            return mixture.floats("model.layers." + (TinyDecoder.LAYERS - 1) + ".mlp.gate.weight");
        }
    }

    @Test
    void aPromptLongerThanTheContextIsRefused() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("base"));
        MixturePlan plan = MixturePlan.builder("base")
                .expert(MixturePlan.Expert.of("base", List.of("a".repeat(256))))
                .expert(MixturePlan.Expert.of("base", List.of("b")))
                .build();
        assertThatThrownBy(() -> MixtureMerger.in(temp)
                        .merge(plan, temp.resolve("mixture"))
                        .run())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a prompt has 257 tokens, more than the 256 that the model sees; shorten it");
        assertThat(temp.resolve("mixture")).doesNotExist();
    }

    @Test
    void aCancelledMergeLeavesNothingOpen() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("base"));
        MixturePlan plan = MixturePlan.builder("base")
                .expert(MixturePlan.Expert.of("base", List.of("a")))
                .expert(MixturePlan.Expert.of("base", List.of("b")))
                .build();
        Job<MixtureReport> job = MixtureMerger.in(temp).merge(plan, temp.resolve("mixture"));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress && progress.stage().equals("hidden states")) {
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(temp.resolve("mixture")).doesNotExist();
    }
}
