package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.merging.MergeProblem;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Head and embedding of models of two layers, by hand: every number of {@code a} is 1, of {@code b} 3. */
@NoLeaks
class TiedHeadTest {

    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";
    private static final String APART = "the head is the embedding in these models, but the plan treats them apart; the"
            + " result has a head of its own, lm_head.weight";

    @TempDir
    Path temp;

    @BeforeEach
    void models() throws IOException {
        model("a", "LlamaForCausalLM", true, 1, false);
        model("b", "LlamaForCausalLM", true, 3, false);
        model("own", "LlamaForCausalLM", false, 5, true);
        model("headless", "LlamaModel", false, 7, false);
    }

    private void model(String name, String type, boolean tied, float value, boolean head) throws IOException {
        SafetensorsBuilder file = new SafetensorsBuilder()
                .floats(EMBEDDING, new float[] {value, value}, 2, 1)
                .floats("model.norm.weight", new float[] {value}, 1);
        if (head) {
            file.floats(HEAD, new float[] {2 * value, 2 * value}, 2, 1);
        }
        for (int i = 0; i < 2; i++) {
            file.floats("model.layers." + i + ".mlp.up_proj.weight", new float[] {value}, 1, 1);
        }
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.writeString(
                folder.resolve("config.json"),
                "{\"architectures\": [\"" + type + "\"], \"model_type\": \"llama\", \"num_hidden_layers\": 2,"
                        + " \"tie_word_embeddings\": " + tied + "}");
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
    }

    private static MergePlan stack(String first, String last) {
        return MergekitYaml.parse("merge_method: passthrough\nslices:\n"
                + "  - sources: [{model: %s, layer_range: [0, 1]}]\n  - sources: [{model: %s, layer_range: [1, 2]}]\n"
                        .formatted(first, last));
    }

    private static MergePlan linear(String one, String other, String parameters) {
        return MergekitYaml.parse("merge_method: linear\nmodels:\n"
                + "  - {model: %s, parameters: {weight: 1}}\n  - {model: %s, parameters: {weight: %s}}\n"
                        .formatted(one, other, parameters));
    }

    private List<MergeProblem> problems(MergePlan plan) {
        MergePreview preview = CheckpointMerger.in(temp).plan(plan);
        return preview.problems();
    }

    private void assertMerged(MergePlan plan, float embedding, float head) {
        Path out = temp.resolve("out");
        CheckpointMerger.in(temp).merge(plan, out).run();
        ObjectNode config = JsonFile.object(out.resolve("config.json")).orElseThrow();
        try (SafetensorsFile file = SafetensorsFile.open(out.resolve("model.safetensors"))) {
            assertThat(file.floats(EMBEDDING)).containsOnly(embedding);
            if (file.tensors().containsKey(HEAD)) {
                assertThat(file.floats(HEAD)).containsOnly(head);
            } else {
                assertThat(embedding).isEqualTo(head);
            }
            assertThat(config.path("tie_word_embeddings").asBoolean())
                    .isEqualTo(!file.tensors().containsKey(HEAD));
        }
    }

    @Test
    void aStackTakesTheEmbeddingFromItsFirstSliceAndTheHeadFromItsLast() {
        assertThat(problems(stack("a", "b"))).extracting(MergeProblem::message).containsExactly(APART);
        assertMerged(stack("a", "b"), 1, 3);
    }

    @Test
    void aStackOfOneTiedModelStaysTied() {
        assertThat(problems(stack("a", "a"))).isEmpty();
        assertMerged(stack("a", "a"), 1, 1);
    }

    @Test
    void aStackOfATiedAndAnUntiedModelHasAHeadOfItsOwn() {
        assertMerged(stack("a", "own"), 1, 10);
    }

    @Test
    void aStackThatEndsWithATiedModelHasItsEmbeddingAsTheHead() {
        assertMerged(stack("own", "a"), 5, 1);
    }

    @Test
    void aFilterOfTheHeadPartsItFromTheEmbedding() {
        MergePlan plan = linear("a", "b", "[{filter: lm_head, value: 0}, {value: 1}]");
        assertThat(problems(plan)).extracting(MergeProblem::message).containsExactly(APART);
        assertMerged(plan, 2, 1);
    }

    @Test
    void aFilterOfAnotherModuleLeavesThemTied() {
        assertMerged(linear("a", "b", "[{filter: mlp, value: 0}, {value: 1}]"), 2, 2);
    }

    @Test
    void aTiedModelBringsItsEmbeddingToTheHeadOfAnother() {
        assertMerged(linear("a", "own", "1"), 3, 5.5f);
    }

    @Test
    void aModelThatWasSavedWithoutItsHeadIsRefused() {
        MergeProblem due = new MergeProblem(
                MergeProblem.Severity.FATAL,
                "model headless has no head, lm_head.weight, and its configuration says that none is tied to its embedding"
                        + " (tie_word_embeddings); it was saved without the head, so save it again with it");
        assertThat(problems(linear("own", "headless", "1"))).contains(due);
        assertThat(problems(stack("own", "headless"))).contains(due);
    }
}
