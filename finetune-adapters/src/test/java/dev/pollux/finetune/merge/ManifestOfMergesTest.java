package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import dev.pollux.finetune.adapter.AdapterMerger;
import dev.pollux.finetune.adapter.AdapterMethod;
import dev.pollux.finetune.adapter.LoraExtraction;
import dev.pollux.finetune.adapter.LoraExtractionOptions;
import dev.pollux.finetune.adapter.LoraExtractionReport;
import dev.pollux.merging.MergeReport;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What merges, mixtures, extracted and merged adapters say of their making. */
@NoLeaks
class ManifestOfMergesTest {

    private static final String PLAN = """
        models:
          - {model: base, parameters: {weight: 0.6}}
          - {model: tuned, parameters: {weight: 0.4}}
        merge_method: linear
        """;

    @TempDir
    Path folder;

    @BeforeEach
    void models() throws IOException {
        TinyDecoder.of("LlamaForCausalLM", "llama", 1).write(folder.resolve("base"));
        TinyDecoder.of("LlamaForCausalLM", "llama", 2).write(folder.resolve("tuned"));
    }

    @Test
    void aMergeHasItsPlanItsSeedAndTheHashesOfItsReport() {
        MergeReport report = merge("merged", MergeOptions.builder().seed(7).build());

        ArtifactManifest manifest = manifest("merged");
        assertThat(manifest.kind()).isEqualTo(Kind.CHECKPOINT);
        assertThat(manifest.operation()).isEqualTo("merge");
        assertThat(manifest.seed()).hasValue(7);
        assertThat(manifest.inputs())
                .isEqualTo(report.inputs().stream()
                        .map(file -> new Input(file.path(), file.bytes(), file.sha256()))
                        .toList())
                .isNotEmpty();
        assertThat(manifest.options().get("plan")).contains("\"merge_method\":\"linear\"", "\"tuned\"");
        assertThat(report.carriedFiles()).doesNotContain(ArtifactManifest.FILE);
    }

    @Test
    void withoutHashesThereAreNoInputs() {
        merge("merged", MergeOptions.builder().hashInputs(false).build());
        assertThat(manifest("merged").inputs()).isEmpty();
    }

    @Test
    void theManifestOfAnInputIsNeitherCarriedNorHashed() throws IOException {
        ArtifactManifest foreign =
                ArtifactManifest.builder(Kind.CHECKPOINT, "train").build();
        foreign.write(folder.resolve("base"));
        MergeReport first = merge("first", MergeOptions.DEFAULTS);
        assertThat(manifest("first").operation()).isEqualTo("merge");
        assertThat(first.inputs()).extracting(MergeReport.InputFile::path).doesNotContain("base/artifact.json");
        foreign.withScores(Map.of("perplexity", 18.8)).write(folder.resolve("base"));
        CheckpointMerger.in(folder)
                .replay(folder.resolve("first/merge-report.json"), folder.resolve("again"))
                .run();
        assertThat(manifest("again")).isEqualTo(manifest("first"));
    }

    @Test
    void anExtractedAdapterHasItsOptionsAndItsError() {
        LoraExtractionReport report = LoraExtraction.in(
                        folder, LoraExtractionOptions.builder().rank(2).build())
                .extract("base", "tuned", folder.resolve("adapter"))
                .run();

        ArtifactManifest manifest = manifest("adapter");
        assertThat(manifest.kind()).isEqualTo(Kind.ADAPTER);
        assertThat(manifest.operation()).isEqualTo("extract-lora");
        assertThat(manifest.options()).containsEntry("rank", "2").containsEntry("alpha", "");
        assertThat(manifest.scores()).isEqualTo(Map.of("relativeError", report.relativeError()));
        assertThat(paths(manifest)).contains("base/config.json", "tuned/config.json");
    }

    @Test
    void mergedAdaptersHaveTheirMethodAndWeights() {
        LoraExtractionOptions factorsAlone = LoraExtractionOptions.builder()
                .rank(2)
                .embeddings(LoraExtractionOptions.Embeddings.LORA)
                .wholeOthers(false)
                .build();
        for (String name : List.of("one", "two")) {
            LoraExtraction.in(folder, factorsAlone)
                    .extract("base", "tuned", folder.resolve(name))
                    .run();
        }
        AdapterMerger.with(AdapterMethod.CoreSpace.truncated(2))
                .adapter(folder.resolve("one"), 0.5)
                .adapter(folder.resolve("two"), 0.25)
                .merge(folder.resolve("both"))
                .run();

        ArtifactManifest manifest = manifest("both");
        assertThat(manifest.kind()).isEqualTo(Kind.ADAPTER);
        assertThat(manifest.operation()).isEqualTo("merge-adapters");
        assertThat(manifest.options()).containsEntry("weights", "[0.5, 0.25]").containsKey("method");
        assertThat(manifest.seed()).hasValue(0);
        assertThat(paths(manifest))
                .containsExactly(
                        "one/adapter_config.json",
                        "one/adapter_model.safetensors",
                        "two/adapter_config.json",
                        "two/adapter_model.safetensors");
    }

    @Test
    void aMixtureHasItsExperts() {
        MixturePlan plan = MixturePlan.builder("base")
                .gateMode(MixturePlan.GateMode.RANDOM)
                .expert(MixturePlan.Expert.of("base", List.of()))
                .expert(MixturePlan.Expert.of("tuned", List.of()))
                .build();
        MixtureMerger.in(folder, MergeOptions.builder().seed(5).build())
                .merge(plan, folder.resolve("mixture"))
                .run();

        ArtifactManifest manifest = manifest("mixture");
        assertThat(manifest.kind()).isEqualTo(Kind.CHECKPOINT);
        assertThat(manifest.operation()).isEqualTo("merge-moe");
        assertThat(manifest.seed()).hasValue(5);
        assertThat(manifest.options()).containsEntry("gateMode", "RANDOM").containsEntry("base", "base");
        assertThat(paths(manifest)).contains("base/config.json", "tuned/config.json");
        assertThat(Files.exists(folder.resolve("mixture/config.json"))).isTrue();
    }

    private MergeReport merge(String target, MergeOptions options) {
        return CheckpointMerger.in(folder, options)
                .merge(MergekitYaml.parse(PLAN), folder.resolve(target))
                .run();
    }

    private ArtifactManifest manifest(String name) {
        return ArtifactManifest.read(folder.resolve(name)).orElseThrow();
    }

    private static List<String> paths(ArtifactManifest manifest) {
        return manifest.inputs().stream().map(Input::path).toList();
    }
}
