package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayerNameTest {

    @ParameterizedTest
    @CsvSource({
        "model.layers.3.mlp.up_proj.weight, model.layers., 3, .mlp.up_proj.weight",
        "h.0.mlp.experts.7.w1, h., 0, .mlp.experts.7.w1",
        "7.weight, '', 7, .weight",
        "a.1b.2.c, a.1b., 2, .c",
        "a.b1.2.c, a.b1., 2, .c",
        "a.-1.2.c, a.-1., 2, .c",
        "a.1:.2.c, a.1:., 2, .c",
        "a.1/.2.c, a.1/., 2, .c",
        "blk.999999.x, blk., 999999, .x",
        "blk.0190.x, blk., 190, .x",
        "blk.1000000.3.x, blk.1000000., 3, .x",
    })
    void theFirstNumberBetweenDotsIsTheLayer(String tensor, String prefix, int layer, String suffix) {
        assertThat(LayerName.parse(tensor)).contains(new LayerName(prefix, layer, suffix));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "lm_head.weight",
                "weight",
                "",
                "layers.3",
                "layers.3.",
                ".3.weight",
                "a..3.weight",
                "layers.1000000.weight",
                "layers.x.weight",
            })
    void aNameWithoutSuchANumberIsOutsideTheLayers(String tensor) {
        assertThat(LayerName.parse(tensor)).isEmpty();
    }

    @Test
    void aNameOfMoreThan1000CharactersIsOutsideTheLayers() {
        String longest = "a.1." + "x".repeat(996);
        assertThat(LayerName.parse(longest)).contains(new LayerName("a.", 1, "." + "x".repeat(996)));
        assertThat(LayerName.parse(longest + "x")).isEmpty();
    }

    @Test
    void thePartsOfANameGiveTheName() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        List<String> parts = List.of("model", "layers", "weight", "w1", "experts");
        for (int run = 0; run < 200; run++) {
            StringBuilder name = new StringBuilder("root");
            for (int i = random.nextInt(4); i >= 0; i--) {
                name.append('.').append(parts.get(random.nextInt(parts.size())));
            }
            String prefix = name + ".";
            int layer = random.nextInt(1_000_000);
            String suffix = "." + parts.get(random.nextInt(parts.size())) + "." + random.nextInt(9) + ".bias";
            assertThat(LayerName.parse(prefix + layer + suffix))
                    .as("seed %d, run %d", seed, run)
                    .contains(new LayerName(prefix, layer, suffix));
        }
    }

    @Test
    void theCommonPrefixIsThatOfMostTensors() {
        assertThat(LayerName.commonPrefix(Set.of(
                        "a.0.x", "a.1.x", "model.layers.0.x", "model.layers.0.y", "model.layers.1.x", "z.0.x", "head")))
                .contains("model.layers.");
        assertThat(LayerName.commonPrefix(Set.of("c.0.x", "b.0.x", "d.0.x"))).contains("b.");
        assertThat(LayerName.commonPrefix(Set.of("head.weight"))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "model.embed_tokens.weight, true, false, true",
        "wte.weight, true, false, true",
        "transformer.word_embeddings.weight, true, false, true",
        "tok_embeddings.weight, true, false, true",
        "gpt_neox.embed_in.weight, true, false, true",
        "model.embed_tokens.bias, false, false, true",
        "model.my_embed_tokens.weight, false, false, true",
        "transformer.wpe.weight, false, false, true",
        "transformer.wte.bias, false, false, true",
        "lm_head.weight, false, true, false",
        "embed_out.weight, false, true, false",
        "model.output.weight, false, true, false",
        "embed_out.bias, false, false, true",
        "output_norm.weight, false, false, false",
        "lm_head.bias, false, false, false",
        "model.norm.weight, false, false, false",
        ".weight, false, false, false",
        "weight, false, false, false",
        "lm_head.weight.scale, false, false, false",
    })
    void embeddingsAndHeadsAreKnownByTheirModules(String tensor, boolean embedding, boolean head, boolean before) {
        assertThat(LayerName.isEmbedding(tensor)).isEqualTo(embedding);
        assertThat(LayerName.isHead(tensor)).isEqualTo(head);
        assertThat(LayerName.isBeforeLayers(tensor)).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({
        "model.layers.0.rotary_emb.inv_freq, F32, 1, true",
        "rotary_emb.original_inv_freq, F32, 1, true",
        "rotary_emb.cos_cached, F32, 2, true",
        "rotary_emb.sin_cached, F32, 2, true",
        "position_ids, I64, 2, true",
        "h.0.attn.masked_bias, F32, 0, true",
        "model.causal_mask, BOOL, 2, true",
        "model.embed_positions._float_tensor, F32, 1, true",
        "rotary_emb.xcos_cached, F32, 2, false",
        "h.0.attn.bias, BOOL, 1, true",
        "h.0.attn.bias, U8, 1, true",
        "h.0.attn.bias, F32, 4, true",
        "h.0.attn.bias, F32, 3, true",
        "h.0.attn.bias, F32, 2, false",
        "h.0.attn.bias, F32, 1, false",
        "layers.0.attention.bias, BOOL, 4, true",
        "layers.0.attention.bias, F16, 1, false",
        "layers.0.mlp.bias, BOOL, 4, false",
        "layers.0.attention.dense.bias, F32, 4, false",
        "attn.bias.weight, BOOL, 4, false",
    })
    void buffersAndMasksAreObsolete(String tensor, DType type, int rank, boolean obsolete) {
        List<Long> shape = Collections.nCopies(rank, 1L);
        assertThat(LayerName.isObsolete(new TensorInfo(tensor, type, shape, 0, type.blockBytes())))
                .isEqualTo(obsolete);
    }
}
