package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePreview;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a configuration says of single layers follows the layers of slices. */
@NoLeaks
class StackedConfigTest {

    private static final int LAYERS = 6;

    @TempDir
    Path temp;

    private ObjectNode config(String name, String settings) throws IOException {
        TestModels.write(temp.resolve(name), name.hashCode(), LAYERS, 2);
        Path file = temp.resolve(name).resolve("config.json");
        ObjectNode config = JsonFile.object(file).orElseThrow();
        JsonNode.parse(settings.replace('\'', '"'))
                .properties()
                .forEach(entry -> config.set(entry.getKey(), entry.getValue()));
        JsonFile.write(file, config);
        return config;
    }

    /** A plan that puts ranges such as {@code m 0 2} on top of each other. */
    private static MergePlan stack(String... ranges) {
        return MergekitYaml.parse("merge_method: passthrough\nslices:\n"
                + Arrays.stream(ranges)
                        .map(range -> range.split(" "))
                        .map(r -> "  - sources: [{model: %s, layer_range: [%s, %s]}]\n".formatted(r[0], r[1], r[2]))
                        .collect(Collectors.joining()));
    }

    private ObjectNode merged(MergePlan plan) {
        CheckpointMerger.in(temp).merge(plan, temp.resolve("out")).run();
        return JsonFile.object(temp.resolve("out/config.json")).orElseThrow();
    }

    static Stream<Arguments> settings() {
        return Stream.of(
                arguments("{'no_rope_layers': [1, 1, 0, 1, 1, 0]}", "{'no_rope_layers': [0, 1, 1, 1, 0]}"),
                arguments(
                        "{'layers_block_type': ['a', 'b', 'c', 'd', 'e', 'f']}",
                        "{'layers_block_type': ['c', 'd', 'b', 'b', 'c']}"),
                arguments("{'hybrid_override_pattern': 'M-*MM-'}", "{'hybrid_override_pattern': '*M--*'}"),
                arguments("{'block_types': ['r', 'r', 'a']}", "{'block_types': ['a', 'r', 'r', 'r', 'a']}"),
                arguments("{'mlp_only_layers': [1, 3]}", "{'mlp_only_layers': [1, 2, 3]}"),
                arguments("{'full_attn_idxs': [2]}", "{'full_attn_idxs': [0, 4]}"),
                arguments("{'attn_layer_indices': [0, 5]}", "{'attn_layer_indices': []}"),
                arguments("{'some_kind_layers': [1, 2]}", "{'some_kind_layers': [0, 2, 3, 4]}"),
                arguments("{'moe_layers_enum': '3,4,5'}", "{'moe_layers_enum': '1'}"),
                arguments(
                        "{'linear_attn_config': {'kda_layers': [1, 2, 3, 5], 'full_attn_layers': [4, 6], 'head_dim': 8}}",
                        "{'linear_attn_config': {'kda_layers': [1, 3, 4, 5], 'full_attn_layers': [2], 'head_dim': 8}}"),
                arguments("{'intermediate_size': [1, 2, 3, 4, 5, 6]}", "{'intermediate_size': [3, 4, 2, 2, 3]}"),
                arguments(
                        "{'block_configs': [{'n': 1}, {'n': 2}, {'n': 3}, {'n': 4}, {'n': 5}, {'n': 6}]}",
                        "{'block_configs': [{'n': 3}, {'n': 4}, {'n': 2}, {'n': 2}, {'n': 3}]}"),
                arguments(
                        "{'rope_theta': [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}", "{'rope_theta': [3.0, 4.0, 2.0, 2.0, 3.0]}"),
                arguments(
                        "{'attention_types': [[['g', 'l'], 3]], 'attention_layers': ['g', 'l', 'g', 'l', 'g', 'l']}",
                        "{'attention_types': [[['g', 'l', 'l', 'l', 'g'], 1]], 'attention_layers': ['g', 'l', 'l', 'l', 'g']}"),
                arguments("{'first_k_dense_replace': 0}", "{'first_k_dense_replace': 0}"),
                arguments(
                        "{'decoder_sparse_step': 2, 'num_experts': 4}",
                        "{'decoder_sparse_step': 1, 'mlp_only_layers': [0, 4]}"),
                arguments("{'interleave_moe_layer_step': 2}", "{'moe_layers': [1, 2, 3]}"),
                arguments("{'no_rope_layer_interval': 3}", "{'no_rope_layers': [0, 1, 1, 1, 0]}"),
                arguments(
                        "{'full_attention_interval': 3}",
                        "{'layer_types': ['full_attention', 'linear_attention', 'linear_attention', 'linear_attention',"
                                + " 'full_attention']}"),
                arguments(
                        "{'model_type': 'gemma2'}",
                        "{'layer_types': ['sliding_attention', 'full_attention', 'full_attention', 'full_attention',"
                                + " 'sliding_attention']}"),
                arguments(
                        "{'sliding_window_pattern': 'LG'}",
                        "{'layer_types': ['sliding_attention', 'full_attention', 'full_attention', 'full_attention',"
                                + " 'sliding_attention']}"),
                arguments(
                        "{'use_sliding_window': true, 'max_window_layers': 6}",
                        "{'use_sliding_window': true, 'max_window_layers': 6}"),
                arguments(
                        "{'use_sliding_window': true, 'max_window_layers': 3}",
                        "{'layer_types': ['full_attention', 'sliding_attention', 'full_attention', 'full_attention',"
                                + " 'full_attention']}"),
                // in objects of the configuration too
                arguments(
                        "{'attn_config': {'attn_types': ['a', 'b', 'c', 'd', 'e', 'f'], 'heads': 4}}",
                        "{'attn_config': {'attn_types': ['c', 'd', 'b', 'b', 'c'], 'heads': 4}}"),
                arguments(
                        "{'ffn_config': {'moe': {'moe_layers': [1, 3], 'sizes': [1, 2, 3, 4, 5, 6]}}}",
                        "{'ffn_config': {'moe': {'moe_layers': [1, 2, 3], 'sizes': [3, 4, 2, 2, 3]}}}"),
                arguments(
                        "{'mixer': {'layer_pattern': 'abcdef', 'block_types': ['r', 'r', 'a']}}",
                        "{'mixer': {'layer_pattern': 'cdbbc', 'block_types': ['a', 'r', 'r', 'r', 'a']}}"),
                arguments(
                        "{'vision_config': {'num_hidden_layers': 6, 'layer_types': [1, 2, 3, 4, 5, 6]}}",
                        "{'vision_config': {'num_hidden_layers': 6, 'layer_types': [1, 2, 3, 4, 5, 6]}}"),
                arguments(
                        "{'tower': {'depth': 6, 'kinds': [1, 2, 3, 4, 5, 6]}}",
                        "{'tower': {'depth': 6, 'kinds': [1, 2, 3, 4, 5, 6]}}"),
                arguments(
                        "{'rope_scaling': {'short_factor': [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}}",
                        "{'rope_scaling': {'short_factor': [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}}"),
                // what is as long as the stack by chance stays
                arguments("{'eos_token_id': [1, 2, 3, 4, 5, 6]}", "{'eos_token_id': [1, 2, 3, 4, 5, 6]}"));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void followTheLayers(String before, String after) throws IOException {
        config("m", before);

        ObjectNode result = merged(stack("m 2 4", "m 1 2", "m 1 3")); // layers 2, 3, 1, 1, 2

        assertThat(result.path("num_hidden_layers").asInt()).isEqualTo(5);
        for (var due : ((ObjectNode) JsonNode.parse(after.replace('\'', '"'))).properties()) {
            assertThat(result.get(due.getKey())).as(due.getKey()).isEqualTo(due.getValue());
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void stayWhereNoLayerMoves(String before, String after) throws IOException {
        ObjectNode config = config("m", before);

        ObjectNode result = merged(stack("m 0 2", "m 2 6"));

        config.properties().forEach(due -> {
            if (!due.getKey().equals("torch_dtype")) {
                assertThat(result.get(due.getKey())).as(due.getKey()).isEqualTo(due.getValue());
            }
        });
        assertThat(result.has("layer_types")).isEqualTo(config.has("layer_types"));
    }

    @Test
    void areThoseOfTheModelThatALayerComesFrom() throws IOException {
        config("m", "{'layer_types': ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'], 'mlp_only_layers': [0]}");
        config("n", "{'layer_types': ['b0', 'b1', 'b2', 'b3', 'b4', 'b5'], 'mlp_only_layers': [5]}");

        ObjectNode result = merged(stack("m 0 1", "n 4 6"));

        assertThat(result.get("layer_types").toString()).isEqualTo("[\"a0\",\"b4\",\"b5\"]");
        assertThat(result.get("mlp_only_layers").toString()).isEqualTo("[0,2]");
    }

    @Test
    void inAnObjectAreThoseOfTheModelThatALayerComesFrom() throws IOException {
        config("m", "{'attn_config': {'kinds': ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'], 'moe_layers': [0]}}");
        config("n", "{'attn_config': {'kinds': ['b0', 'b1', 'b2', 'b3', 'b4', 'b5'], 'moe_layers': [5]}}");
        config("o", "{}");

        JsonNode result = merged(stack("m 0 1", "n 4 6", "o 3 4")).path("attn_config");

        assertThat(result.path("kinds").toString()).isEqualTo("[\"a0\",\"b4\",\"b5\",\"a3\"]");
        assertThat(result.path("moe_layers").toString()).isEqualTo("[0,2]");
    }

    @Test
    void areFoundInTheSectionForText() throws IOException {
        ObjectNode config = config("m", "{'text_config': {'num_hidden_layers': 6, 'layer_types': [1, 2, 3, 4, 5, 6]}}");
        config.remove("num_hidden_layers");
        JsonFile.write(temp.resolve("m/config.json"), config);

        JsonNode text = merged(stack("m 4 6")).path("text_config");

        assertThat(text.path("num_hidden_layers").asInt()).isEqualTo(2);
        assertThat(text.path("layer_types").toString()).isEqualTo("[5,6]");
    }

    @Test
    void denseLayersBeforeTheOthersAreCountedAnew() throws IOException {
        config("m", "{'first_k_dense_replace': 2}");

        assertThat(merged(stack("m 1 6")).path("first_k_dense_replace").asInt()).isEqualTo(1);
    }

    @Test
    void anOrderThatASettingCannotTellIsAnError() throws IOException {
        config("m", "{'first_k_dense_replace': 1}");

        MergePreview preview = CheckpointMerger.in(temp).plan(stack("m 0 2", "m 0 2"));

        assertThat(preview.errors())
                .containsExactly(
                        "first_k_dense_replace tells the kind of a layer by its number, and no value of it gives"
                                + " dense, experts, dense, experts, which the slices put in this order; choose slices that keep the"
                                + " order of the model");
    }

    @Test
    void aWindowThatNoLayerHasIsNotGivenToNewOnes() throws IOException {
        config("m", "{'use_sliding_window': true, 'max_window_layers': 6}");

        assertThat(merged(stack("m 0 6", "m 3 6")).path("max_window_layers").asInt())
                .isEqualTo(9);
    }

    @Test
    void anotherOffsetTellsTheSamePeriod() throws IOException {
        config("m", "{'attn_layer_period': 3, 'attn_layer_offset': 1}");

        assertThat(merged(stack("m 1 6")).path("attn_layer_offset").asInt()).isZero();
    }

    @Test
    void anUnknownPeriodThatSlicesBreakIsNoted() throws IOException {
        config("m", "{'some_attention_every_n_layers': 2}");

        assertThat(CheckpointMerger.in(temp).plan(stack("m 0 3", "m 4 6")).notices())
                .containsExactly(
                        "some_attention_every_n_layers of the configuration goes by the numbers of layers, and the"
                                + " slices give layers other numbers; see whether it still holds, and choose ranges that begin and"
                                + " end at its multiples if not");
        assertThat(CheckpointMerger.in(temp).plan(stack("m 0 2", "m 4 6")).notices())
                .isEmpty();
    }

    @Test
    void aNumberOfJsonThatIsNotFiniteIsWrittenAsItWasRead() throws IOException {
        config("m", "{}");
        Path file = temp.resolve("m/config.json");
        Files.writeString(file, Files.readString(file).replaceFirst("\\{", "{\"time_step_limit\": [0.0, Infinity],"));

        merged(stack("m 0 6"));

        assertThat(Files.readString(temp.resolve("out/config.json"))).contains("[ 0.0, Infinity ]");
    }
}
