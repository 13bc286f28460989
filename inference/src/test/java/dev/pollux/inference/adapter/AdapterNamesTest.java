package dev.pollux.inference.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of tensors of adapters, and of models. */
class AdapterNamesTest {

    @ParameterizedTest
    @CsvSource({
        "language_model.model.layers.0.mlp.up_proj.weight, model.language_model.layers.0.mlp.up_proj.weight",
        "model.language_model.layers.0.mlp.up_proj.weight, language_model.model.layers.0.mlp.up_proj.weight",
        "model.layers.0.mlp.up_proj.weight, model.language_model.layers.0.mlp.up_proj.weight",
        "model.layers.0.mlp.up_proj.weight, layers.0.mlp.up_proj.weight",
        "layers.0.mlp.up_proj.weight, model.layers.0.mlp.up_proj.weight",
        "h.0.attn.c_attn.weight, transformer.h.0.attn.c_attn.weight",
        "language_model.lm_head.weight, lm_head.weight",
        "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight, model.vision_tower.encoder.layers.0.mlp.fc1.weight",
        "visual.blocks.0.attn.proj.weight, model.visual.blocks.0.attn.proj.weight"
    })
    void classesAroundTheLayersDoNotCount(String stored, String adapter) {
        AdapterNames names = AdapterNames.of(Set.of(stored, "visual.layers.0.mlp.up_proj.weight"));
        assertThat(names.find(adapter)).contains(stored);
    }

    @Test
    void anExactNameIsTakenFirstAndAnAmbiguousOneNotAtAll() {
        AdapterNames names = AdapterNames.of(Set.of("model.layers.0.a.weight", "layers.0.a.weight"));
        assertThat(names.find("layers.0.a.weight")).contains("layers.0.a.weight");
        assertThat(names.find("transformer.layers.0.a.weight")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "base_model.model.model.layers.0.q.lora_A.weight, model.layers.0.q.weight, A, false",
        "base_model.model.model.layers.0.q.lora_B.default.weight, model.layers.0.q.weight, B, false",
        "model.layers.0.q.lora_B.mine.weight, model.layers.0.q.weight, B, false",
        "module.base_model.model._orig_mod.layers.0.q.lora_B.bias, layers.0.q.bias, BIAS, false",
        "base_model.model.model.embed_tokens.lora_embedding_A.default, model.embed_tokens.weight, A, true",
        "base_model.model.model.embed_tokens.lora_embedding_B, model.embed_tokens.weight, B, true",
        "base_model.model.q.lora_magnitude_vector.default.weight, q.weight, MAGNITUDE, false",
        "base_model.model.q.lora_magnitude_vector.default, q.weight, MAGNITUDE, false",
        "base_model.model.q.lora_magnitude_vector, q.weight, MAGNITUDE, false",
        "base_model.model.e.token_adapter.trainable_tokens_delta.default, e.weight, TOKENS, false",
        "base_model.model.e.token_adapter.base_layer.weight, e.weight, BASE, false",
        "base_model.model.lm_head.base_layer.weight, lm_head.weight, BASE, false",
        "base_model.model.e.original_module.weight, e.weight, BASE, false",
        "base_model.model.lm_head.modules_to_save.default.weight, lm_head.weight, WHOLE, false",
        "base_model.model.lm_head.modules_to_save.weight, lm_head.weight, WHOLE, false",
        "base_model.layers.0.norm.weight, layers.0.norm.weight, WHOLE, false",
        "model.layers.0.q.bias, model.layers.0.q.bias, WHOLE, false"
    })
    void tensorsOfAdaptersAreKnownByTheirNames(String name, String target, PeftTensor.Part part, boolean embedding) {
        assertThat(PeftTensor.parse(name)).contains(new PeftTensor(target, part, embedding));
    }

    @ParameterizedTest
    @CsvSource({"model.layers.0.q.lora_diag.weight", "q.lora_A.bias"})
    void otherFactorsAreNotKnown(String name) {
        assertThat(PeftTensor.parse(name)).isEqualTo(Optional.empty());
    }
}
