package dev.pollux.samples.cli;

import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A cross-encoder whose weights are zeros, so that the score of every pair is the logistic function of {@link #BIAS}. */
final class TinyCrossEncoder {

    static final float BIAS = 2;

    private TinyCrossEncoder() {}

    static void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), """
            {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 8, "id2label": {"0": "x"},
             "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16, "vocab_size": 16,
             "max_position_embeddings": 32}
            """);
        Files.writeString(folder.resolve("tokenizer.json"), """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
             "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null,
             "post_processor": {"type": "TemplateProcessing",
              "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
              "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
              "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
               "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
             "model": {"type": "WordLevel", "unk_token": "[UNK]",
              "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5}}}
            """);
        SafetensorsBuilder file = new SafetensorsBuilder();
        String at = "bert.embeddings.";
        file.floats(at + "word_embeddings.weight", new float[16 * 8], 16, 8);
        file.floats(at + "position_embeddings.weight", new float[32 * 8], 32, 8);
        file.floats(at + "token_type_embeddings.weight", new float[2 * 8], 2, 8);
        String layer = "bert.encoder.layer.0.";
        for (String norm : List.of(at, layer + "attention.output.", layer + "output.")) {
            file.floats(norm + "LayerNorm.weight", new float[8], 8);
            file.floats(norm + "LayerNorm.bias", new float[8], 8);
        }
        for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
            linear(file, layer + "attention." + part, 8, 8);
        }
        linear(file, layer + "intermediate.dense", 16, 8);
        linear(file, layer + "output.dense", 8, 16);
        linear(file, "bert.pooler.dense", 8, 8);
        file.floats("classifier.weight", new float[8], 1, 8);
        file.floats("classifier.bias", new float[] {BIAS}, 1);
        file.write(folder.resolve("model.safetensors"));
    }

    private static void linear(SafetensorsBuilder file, String name, int out, int in) {
        file.floats(name + ".weight", new float[out * in], out, in);
        file.floats(name + ".bias", new float[out], out);
    }
}
