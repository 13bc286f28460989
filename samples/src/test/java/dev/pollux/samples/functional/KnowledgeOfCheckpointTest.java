package dev.pollux.samples.functional;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Query;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A knowledge base whose vectors come from a checkpoint, which is exported into the cache. */
@NoLeaks
class KnowledgeOfCheckpointTest {

    private static final int WIDTH = 16;
    private static final int TOKENS = 6;

    @TempDir
    Path folder;

    private final SafetensorsBuilder tensors = new SafetensorsBuilder();
    private final Random random = new Random(11);

    @Test
    void aKnowledgeBaseOpensAfterTheCacheIsGone() throws IOException {
        writeCheckpoint();
        Path knowledge = folder.resolve("knowledge");
        try (OnnxEmbedder embedder = embedder();
                KnowledgeBase base = KnowledgeBase.open(knowledge, embedder)) {
            base.ingest(DocumentSource.of("notes", List.of(new Document("one", "text/plain", "a b a", Map.of()))))
                    .run();
        }
        delete(folder.resolve("cache"));

        try (OnnxEmbedder embedder = embedder();
                KnowledgeBase base = KnowledgeBase.open(knowledge, embedder)) {
            assertThat(base.retriever().retrieve(Query.of("a b"))).hasSize(1);
        }
    }

    private OnnxEmbedder embedder() {
        EmbedderOptions options = EmbedderOptions.builder()
                .cache(folder.resolve("cache"))
                .workers(1)
                .build();
        return OnnxEmbedder.open(folder.resolve("model"), options);
    }

    private static void delete(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** BERT of one layer with random weights, whose tokens are words. */
    private void writeCheckpoint() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        tensor("embeddings.word_embeddings.weight", TOKENS, WIDTH);
        tensor("embeddings.position_embeddings.weight", 64, WIDTH);
        tensor("embeddings.token_type_embeddings.weight", 2, WIDTH);
        norm("embeddings.LayerNorm");
        for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
            linear("encoder.layer.0.attention." + part);
        }
        norm("encoder.layer.0.attention.output.LayerNorm");
        linear("encoder.layer.0.intermediate.dense");
        linear("encoder.layer.0.output.dense");
        norm("encoder.layer.0.output.LayerNorm");
        tensors.write(model.resolve("model.safetensors"));
        Files.writeString(model.resolve("config.json"), """
                {"architectures": ["BertModel"], "hidden_size": 16, "intermediate_size": 16, "vocab_size": 6,
                 "num_attention_heads": 2, "num_hidden_layers": 1, "max_position_embeddings": 64}
                """);
        Files.writeString(model.resolve("tokenizer.json"), """
                {"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
                 "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "model": {"type": "WordLevel", "unk_token": "[UNK]",
                           "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5}}}
                """);
    }

    private void linear(String name) {
        tensor(name + ".weight", WIDTH, WIDTH);
        tensor(name + ".bias", WIDTH);
    }

    private void norm(String name) {
        tensor(name + ".weight", WIDTH);
        tensor(name + ".bias", WIDTH);
    }

    private void tensor(String name, long... shape) {
        long size = 1;
        for (long dimension : shape) {
            size *= dimension;
        }
        float[] values = new float[(int) size];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        tensors.floats(name, values, shape);
    }
}
