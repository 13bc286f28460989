package dev.pollux.finetune.train;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * An embedder of width 16 with two layers, and a tokenizer of words. The element number n of all tensors, in order of their names, is
 * 0.3 sin(1.7 n), and 1 more in norms.
 */
final class TinyBert {

    static final int WIDTH = 16;
    private static final int INNER = 24;
    private static final int POSITIONS = 24;

    private static final List<String> WORDS = List.of(
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "what", "is", "the", "red", "green", "blue", "apple", "leaf", "sky",
            "fruit", "plant", "weather", "of", "a", "on", "in", "grows", "color", "tree", "rain");

    private TinyBert() {}

    /** Writes it into {@code folder}. */
    static Path in(Path folder) throws IOException {
        Files.createDirectories(folder.resolve("1_Pooling"));
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 16, "intermediate_size": 24,
                 "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": %d, "max_position_embeddings": 24,
                 "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.0,
                 "attention_probs_dropout_prob": 0.0}
                """.formatted(WORDS.size()));
        Files.writeString(folder.resolve("modules.json"), """
                [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
                """);
        Files.writeString(
                folder.resolve("1_Pooling/config.json"),
                "{\"word_embedding_dimension\": 16, \"pooling_mode_mean_tokens\": true}");
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
        weights(folder.resolve("model.safetensors"));
        return folder;
    }

    private static String tokenizer() {
        String vocabulary = WORDS.stream()
                .map(word -> "\"" + word + "\": " + WORDS.indexOf(word))
                .collect(Collectors.joining(", "));
        return """
                {"version": "1.0", "added_tokens": [
                  {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true},
                  {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true}],
                 "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
                 "post_processor": {"type": "TemplateProcessing",
                  "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                             {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                  "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                           {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                           {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
                  "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                     "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
                 "decoder": null, "truncation": null, "padding": null,
                 "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {%s}}}
                """.formatted(vocabulary);
    }

    private static void weights(Path file) {
        Map<String, List<Long>> shapes = new TreeMap<>();
        shapes.put("embeddings.word_embeddings.weight", List.of((long) WORDS.size(), (long) WIDTH));
        shapes.put("embeddings.position_embeddings.weight", List.of((long) POSITIONS, (long) WIDTH));
        shapes.put("embeddings.token_type_embeddings.weight", List.of(2L, (long) WIDTH));
        norm(shapes, "embeddings.LayerNorm");
        for (int layer = 0; layer < 2; layer++) {
            String at = "encoder.layer." + layer + ".";
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                linear(shapes, at + "attention." + part, WIDTH, WIDTH);
            }
            norm(shapes, at + "attention.output.LayerNorm");
            linear(shapes, at + "intermediate.dense", INNER, WIDTH);
            linear(shapes, at + "output.dense", WIDTH, INNER);
            norm(shapes, at + "output.LayerNorm");
        }
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.copyOf(shapes.keySet()))) {
            int[] count = {0};
            new LinkedHashMap<>(shapes).forEach((name, shape) -> {
                float[] values = new float
                        [(int) shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b)];
                float center = name.contains("LayerNorm.weight") ? 1 : 0;
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (center + 0.3 * Math.sin(1.7 * count[0]++));
                }
                writer.put(name, DType.F32, shape, values);
            });
            writer.finish();
        }
    }

    private static void norm(Map<String, List<Long>> shapes, String name) {
        shapes.put(name + ".weight", List.of((long) WIDTH));
        shapes.put(name + ".bias", List.of((long) WIDTH));
    }

    private static void linear(Map<String, List<Long>> shapes, String name, long out, long in) {
        shapes.put(name + ".weight", List.of(out, in));
        shapes.put(name + ".bias", List.of(out));
    }

    /** Queries with documents. */
    static RelevanceDataset triples() {
        return RelevanceDataset.of(
                "triples",
                List.of(
                        Map.of("query", "what is red", "positive", "the apple is a red fruit"),
                        Map.of(
                                "query",
                                "what is green",
                                "positive",
                                "a green leaf grows on the tree",
                                "negatives",
                                List.of("a green apple", "the blue sky")),
                        Map.of("query", "what is blue", "positive", "the sky is blue"),
                        Map.of("query", "what is the weather", "positive", "rain in the blue sky")));
    }

    /** Pairs with labels. */
    static RelevanceDataset pairs() {
        return RelevanceDataset.of(
                "pairs",
                List.of(
                        Map.of("query", "what is red", "document", "the apple is a red fruit", "label", 1),
                        Map.of("query", "what is red", "document", "the blue sky", "label", 0),
                        Map.of("query", "what is green", "document", "a green leaf grows on the tree", "label", true),
                        Map.of("query", "what is green", "document", "rain in the sky", "label", 0.25)));
    }
}
