package dev.pollux.finetune.issues;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.finetune.adapter.LoraExtraction;
import dev.pollux.finetune.adapter.LoraExtractionOptions;
import dev.pollux.finetune.merge.CheckpointMerger;
import dev.pollux.finetune.merge.MergekitYaml;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An adapter that was extracted from a model with tied embeddings lacked the head, which PEFT keeps apart from a saved
 * embedding, or could not be merged into its base again.
 */
@NoLeaks
class HeadOfExtractedAdapterTest {

    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";
    private static final float[] OLD = {1, 2, 3, 4, 5, 6};
    private static final float[] NEW = {1, 2, 3, 4, 5, 7};

    @TempDir
    Path temp;

    private void model(String name, float[] embedding, float... head) throws IOException {
        SafetensorsBuilder file = new SafetensorsBuilder()
                .floats(EMBEDDING, embedding, 3, 2)
                .floats("model.layers.0.mlp.up_proj.weight", new float[] {1, 2, 3, 4}, 2, 2)
                .floats("model.norm.weight", new float[] {1, 1}, 2);
        if (head.length > 0) {
            file.floats(HEAD, head, 3, 2);
        }
        Path folder = Files.createDirectories(temp.resolve(name));
        Files.write(folder.resolve("model.safetensors"), file.toBytes());
        Files.writeString(
                folder.resolve("config.json"),
                "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"num_hidden_layers\": 1,"
                        + " \"vocab_size\": 3, \"tie_word_embeddings\": " + (head.length == 0) + "}");
    }

    /** Extracts an adapter, and merges it into its base. */
    private SafetensorsFolder extractedAndMerged() {
        LoraExtraction.in(temp, LoraExtractionOptions.builder().rank(2).build())
                .extract("base", "tuned", temp.resolve("adapter"))
                .run();
        CheckpointMerger.in(temp)
                .merge(MergekitYaml.parse("merge_method: passthrough\nmodels: [base+adapter]\n"), temp.resolve("out"))
                .run();
        return SafetensorsFolder.open(temp.resolve("out"));
    }

    @Test
    void anAdapterBetweenTiedModelsHasTheHeadToo() throws IOException {
        model("base", OLD);
        model("tuned", NEW);
        try (SafetensorsFolder out = extractedAndMerged();
                SafetensorsFile adapter = SafetensorsFile.open(temp.resolve("adapter/adapter_model.safetensors"))) {
            assertThat(adapter.tensors().keySet()).anyMatch(name -> name.startsWith("base_model.model.lm_head."));
            assertThat(out.floats(EMBEDDING)).isEqualTo(NEW);
            assertThat(out.tensors().containsKey(HEAD) ? out.floats(HEAD) : NEW).isEqualTo(NEW);
        }
    }

    @Test
    void aHeadOfItsOwnIsGivenBack() throws IOException {
        model("base", OLD);
        model("tuned", OLD, NEW);
        try (SafetensorsFolder out = extractedAndMerged()) {
            assertThat(out.floats(EMBEDDING)).isEqualTo(OLD);
            assertThat(out.floats(HEAD)).usingComparatorWithPrecision(1e-5f).isEqualTo(NEW);
        }
        assertThat(Files.readString(temp.resolve("out/config.json"))).contains("\"tie_word_embeddings\" : false");
    }
}
