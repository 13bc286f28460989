package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.internal.math.Blas;
import dev.pollux.job.JobContext;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
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
        Path dense = TinyDecoder.of(architecture, type, 1).write(temp.resolve("base"));
        MixturePlan.Builder plan = MixturePlan.builder("base")
                .gateMode(MixturePlan.GateMode.HIDDEN)
                .expert(MixturePlan.Expert.of("base", List.of("the quick brown fox")))
                .expert(MixturePlan.Expert.of("base", List.of("sign and scale 0 1 2")))
                .expert(MixturePlan.Expert.of("base", List.of("answer")));
        if (type.equals("qwen2")) {
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
    }

    private float[] logits(Path model) {
        return FloatEngine.logits(model, temp, IDS);
    }

    @Test
    void hiddenStatesLeadToTheLogitsThatTheEngineGives() throws IOException {
        for (String type : new String[] {"Llama", "Qwen2", "Qwen3"}) {
            Path dense = TinyDecoder.of(type + "ForCausalLM", type.toLowerCase(java.util.Locale.ROOT), 2)
                    .write(temp.resolve(type));
            // the last layer writes nothing, so the state before it is the state after it
            Path silent = SilentLayer.write(dense, temp.resolve(type + "-silent"));
            List<double[]> states = new ArrayList<>();
            try (InputModel model = InputModel.open(ModelReference.parse(type + "-silent"), temp);
                    Checkpoint checkpoint = Checkpoint.open(silent);
                    SafetensorsFolder file = SafetensorsFolder.open(silent)) {
                new HiddenStates(model, checkpoint, JobContext.NONE)
                        .read("model.embed_tokens.weight", List.of(IDS), (layer, x) -> {
                            states.clear();
                            states.add(x.get(0)[IDS.length - 1]);
                        });
                float[] due = logits(silent);
                float[] norm = file.floats("model.norm.weight");
                float[] head = file.floats("lm_head.weight");
                double[] state = states.get(0);
                double scale = 1 / Math.sqrt(Blas.dot(state, state, 0) / state.length + 1e-5);
                for (int token = 0; token < due.length; token++) {
                    double sum = 0;
                    for (int i = 0; i < state.length; i++) {
                        sum += state[i] * scale * norm[i] * head[token * state.length + i];
                    }
                    assertThat(sum).as("%s, token %d", type, token).isCloseTo(due[token], within(1e-4));
                }
            }
        }
    }
}
