package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.ModelExecutionException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.graph.ElementType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs of every shape, long texts, and what is counted. */
class OnnxEmbedderTest {

    /** Relative: a float has 24 bits, and a few operations are made in it. */
    private static final double ROUNDING = 1e-6;

    @TempDir
    private Path folder;

    private static EmbedderOptions.Builder raw() {
        return EmbedderOptions.builder().normalize(false).workers(1);
    }

    private float[] embed(String text, EmbedderOptions options) {
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            return embedder.embed(List.of(text), TextRole.PASSAGE)[0];
        }
    }

    private static void assertClose(float[] actual, double... expected) {
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i])
                    .as("component %d", i)
                    .isCloseTo(expected[i], within(ROUNDING * Math.max(1, Math.abs(expected[i]))));
        }
    }

    private static double[] mean(int... tokens) {
        double[] sum = new double[TinyEncoder.WIDTH];
        for (int token : tokens) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += TinyEncoder.vector(token)[i] / tokens.length;
            }
        }
        return sum;
    }

    @Test
    void feedsWhatTheGraphDeclares() {
        // h = look-up + mask + 10 · types + 100 · positions
        TinyEncoder.bare(folder).tokenizer(true).with("config.json", "{'model_type':'mpnet','pad_token_id':1}");
        TinyEncoder.bare(folder).graph("model.onnx", graph -> {
            graph.input("input_ids", ElementType.INT32, "batch", "tokens");
            graph.input("attention_mask", ElementType.INT64, "batch", "tokens");
            graph.input("token_type_ids", ElementType.INT32, "batch", "tokens");
            graph.input("position_ids", ElementType.INT64, "batch", "tokens");
            graph.integers("ten", 10);
            graph.integers("hundred", 100);
            graph.integers("axis", 2);
            TinyEncoder.op(graph, "Cast", "types", List.of("token_type_ids"), Map.of("to", 7));
            TinyEncoder.op(graph, "Mul", "t10", List.of("types", "ten"), Map.of());
            TinyEncoder.op(graph, "Mul", "p100", List.of("position_ids", "hundred"), Map.of());
            TinyEncoder.op(graph, "Add", "s1", List.of("attention_mask", "t10"), Map.of());
            TinyEncoder.op(graph, "Add", "s2", List.of("s1", "p100"), Map.of());
            TinyEncoder.op(graph, "Unsqueeze", "s3", List.of("s2", "axis"), Map.of());
            TinyEncoder.op(graph, "Cast", "s4", List.of("s3"), Map.of("to", 1));
            TinyEncoder.lookUp(graph, "h");
            TinyEncoder.op(graph, "Add", "hidden", List.of("h", "s4"), Map.of());
            graph.output("hidden", ElementType.FLOAT, "batch", "tokens", "width");
        });
        // [CLS] a [SEP] at positions 2, 3, 4, since those of this family begin after the padding token
        double[] mean = mean(2, 4, 3);
        assertClose(embed("a", raw().build()), mean[0] + 301, mean[1] + 301);
        double[] last = TinyEncoder.vector(3);
        assertClose(embed("a", raw().pooling(Pooling.LAST_TOKEN).build()), last[0] + 401, last[1] + 401);
    }

    private void pooledGraph() {
        TinyEncoder.bare(folder).tokenizer(true).graph("model.onnx", graph -> {
            graph.input("input_ids", ElementType.INT64, "batch", "tokens");
            TinyEncoder.lookUp(graph, "token_embeddings");
            graph.integers("axes", 1);
            TinyEncoder.op(
                    graph,
                    "ReduceMax",
                    "sentence_embedding",
                    List.of("token_embeddings", "axes"),
                    Map.of("keepdims", 0));
            TinyEncoder.op(graph, "ReduceMin", "least", List.of("token_embeddings", "axes"), Map.of("keepdims", 0));
            graph.output("token_embeddings", ElementType.FLOAT, "batch", "tokens", 2);
            graph.output("least", ElementType.FLOAT, "batch", 2);
            graph.output("sentence_embedding", ElementType.FLOAT, "batch", 2);
        });
    }

    @Test
    void takesAPooledOutputUnlessAPoolingOrAnotherOutputIsAskedFor() {
        pooledGraph();
        assertClose(embed("a b", raw().build()), 5, TinyEncoder.vector(2)[1]);
        assertClose(embed("a b", raw().pooling(Pooling.MEAN).build()), mean(2, 4, 5, 3));
        assertClose(embed("a b", raw().output("token_embeddings").build()), mean(2, 4, 5, 3));
        assertClose(embed("a b", raw().output("least").build()), 2, TinyEncoder.vector(5)[1]);
        EmbedderOptions wrong = raw().output("logits").build();
        assertThatThrownBy(() -> OnnxEmbedder.open(folder, wrong))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("output must be one of the float outputs [token_embeddings, least, sentence_embedding] of "
                        + folder.resolve("model.onnx") + " but was logits");
    }

    @Test
    void refusesAGraphThatIsNoTextEncoder() {
        TinyEncoder.bare(folder).tokenizer(true).graph("model.onnx", graph -> {
            graph.input("pixel_values", ElementType.FLOAT, "batch", 2);
            TinyEncoder.op(graph, "Identity", "out", List.of("pixel_values"), Map.of());
            graph.output("out", ElementType.FLOAT, "batch", 2);
        });
        assertThatThrownBy(() -> OnnxEmbedder.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        folder.resolve("model.onnx") + " has an input pixel_values of type FLOAT, which a text does not"
                                + " give: inputs must be of [attention_mask, input_ids, position_ids, token_type_ids] and of type"
                                + " INT64 or INT32");
    }

    @Test
    void refusesAGraphWithoutVectors() {
        TinyEncoder.bare(folder).tokenizer(true).graph("model.onnx", graph -> {
            graph.input("input_ids", ElementType.INT64, "batch", "tokens");
            TinyEncoder.op(graph, "Identity", "out", List.of("input_ids"), Map.of());
            graph.output("out", ElementType.INT64, "batch", "tokens");
        });
        assertThatThrownBy(() -> OnnxEmbedder.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        folder.resolve("model.onnx") + " must have a float output of shape (batch, tokens, width) or"
                                + " (batch, width) but has [out]");
    }

    @Test
    void saysThatTheRuntimeRefusesAModel() {
        TinyEncoder.bare(folder).tokenizer(true).with("model.onnx", "not a model");
        assertThatThrownBy(() -> OnnxEmbedder.open(folder))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessageStartingWith("Cannot load " + folder.resolve("model.onnx") + ": ");
    }

    @Test
    void aVectorThatIsNotFiniteIsAnError() {
        TinyEncoder.bare(folder).tokenizer(true).graph("model.onnx", graph -> {
            graph.input("input_ids", ElementType.INT64, "batch", "tokens");
            graph.floats("zero", () -> new float[] {0}, 1);
            TinyEncoder.lookUp(graph, "h");
            TinyEncoder.op(graph, "Div", "hidden", List.of("h", "zero"), Map.of());
            graph.output("hidden", ElementType.FLOAT, "batch", "tokens", 2);
        });
        assertThatThrownBy(() -> embed("a", EmbedderOptions.DEFAULTS))
                .isInstanceOf(ModelExecutionException.class)
                .hasMessage(folder.resolve("model.onnx")
                        + " gave a vector that holds NaN; its weights or their quantization are broken");
    }

    @Test
    void anEmptyTextIsItsSpecialTokens() {
        TinyEncoder.in(folder);
        assertClose(embed("", raw().build()), mean(2, 3));
        assertClose(embed(" \n ", raw().build()), mean(2, 3));
    }

    @Test
    void aTextWithoutAnyTokenIsAPaddingToken() {
        TinyEncoder.bare(folder)
                .model("model.onnx")
                .tokenizer(false)
                .with("config.json", "{'model_type':'llama','pad_token_id':13}");
        assertClose(embed("", raw().build()), TinyEncoder.vector(13));
        assertClose(embed("a b", raw().build()), mean(4, 5));
    }

    @Test
    void nothingIsNothing() {
        TinyEncoder.in(folder);
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder)) {
            assertThat(embedder.embed(List.of(), TextRole.QUERY)).isEmpty();
        }
    }

    @Test
    void readsALongTextInOverlappingWindows() {
        TinyEncoder.in(folder);
        EmbedderOptions options = raw().longText(LongText.WINDOWED)
                .maxTokens(7)
                .windowOverlap(1)
                .passagePrefix("j ")
                .build();
        // Four text tokens a window: [CLS] j a b c d [SEP], [CLS] j d e f g [SEP], [CLS] j g h [SEP]
        double[] first = mean(2, 13, 4, 5, 6, 7, 3);
        double[] second = mean(2, 13, 7, 8, 9, 10, 3);
        double[] third = mean(2, 13, 10, 11, 3);
        double[] expected = new double[2];
        for (int i = 0; i < 2; i++) {
            expected[i] = (4 * first[i] + 4 * second[i] + 2 * third[i]) / 10;
        }
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            float[][] vectors = embedder.embed(List.of("a b", "a b c d e f g h"), TextRole.PASSAGE);
            assertClose(vectors[0], mean(2, 13, 4, 5, 3));
            assertClose(vectors[1], expected);
            assertThat(embedder.countTokens("a b c d e f g h")).isEqualTo(11);
            assertThat(embedder.stats()).isEqualTo(new EmbedderStats(2, 0, 5 + 7 + 7 + 5, 1, 3, 0));
        }
    }

    @Test
    void theMeanOfWindowsHasLengthOneAgain() {
        TinyEncoder.in(folder);
        EmbedderOptions options = EmbedderOptions.builder()
                .longText(LongText.WINDOWED)
                .maxTokens(4)
                .windowOverlap(0)
                .build();
        float[] vector = embed("a b c d e f g h i j", options);
        assertThat(Math.hypot(vector[0], vector[1])).isCloseTo(1, within(ROUNDING));
    }

    @Test
    void windowsNeedRoomForTheirOverlap() {
        TinyEncoder.in(folder);
        EmbedderOptions options = raw().longText(LongText.WINDOWED)
                .maxTokens(6)
                .windowOverlap(3)
                .queryPrefix("j ")
                .build();
        assertThatThrownBy(() -> OnnxEmbedder.open(folder, options))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "windowOverlap must be less than the 3 text tokens of a window of 6 but was 3; choose a smaller"
                                + " overlap or a larger maxTokens");
    }

    @Test
    void countsTextsDuplicatesAndRefusals() {
        TinyEncoder.in(folder);
        EmbedderOptions options = raw().maxTokens(4).build();
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            float[][] vectors = embedder.embed(List.of("a", "b", "a", "a"), TextRole.QUERY);
            assertThat(vectors[0]).isEqualTo(vectors[2]).isNotSameAs(vectors[2]);
            assertThat(embedder.stats()).isEqualTo(new EmbedderStats(4, 2, 6, 0, 0, 0));
            assertThatThrownBy(() -> embedder.embed(List.of("a b", "a b c", "d e f g"), TextRole.QUERY))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Text 1 has 5 tokens but " + folder.getFileName()
                            + " reads at most 4 (1 more of 3 texts are too long); split it, or open the embedder with"
                            + " LongText.WINDOWED");
            assertThat(embedder.stats()).isEqualTo(new EmbedderStats(4, 2, 6, 0, 0, 2));
        }
    }

    @Test
    void nullIsRefused() {
        TinyEncoder.in(folder);
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder)) {
            assertThatThrownBy(() -> embedder.embed(Arrays.asList("a", null), TextRole.QUERY))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("text");
        }
    }

    private String fingerprint(EmbedderOptions options) {
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            return embedder.info().fingerprint();
        }
    }

    @Test
    void theFingerprintTellsWhatChangesAVector() {
        pooledGraph();
        String plain = fingerprint(EmbedderOptions.DEFAULTS);
        assertThat(fingerprint(EmbedderOptions.builder().workers(3).build())).isEqualTo(plain);
        assertThat(List.of(
                        plain,
                        fingerprint(
                                EmbedderOptions.builder().pooling(Pooling.CLS).build()),
                        fingerprint(EmbedderOptions.builder().queryPrefix("a").build()),
                        fingerprint(EmbedderOptions.builder().passagePrefix("a").build()),
                        fingerprint(EmbedderOptions.builder().normalize(false).build()),
                        fingerprint(EmbedderOptions.builder().output("least").build()),
                        fingerprint(EmbedderOptions.builder().maxTokens(99).build()),
                        fingerprint(EmbedderOptions.builder()
                                .longText(LongText.WINDOWED)
                                .build()),
                        fingerprint(EmbedderOptions.builder()
                                .longText(LongText.WINDOWED)
                                .windowOverlap(7)
                                .build())))
                .doesNotHaveDuplicates();
        TinyEncoder.bare(folder).tokenizer(false);
        assertThat(fingerprint(EmbedderOptions.DEFAULTS)).isNotEqualTo(plain);
    }

    @Test
    void theFingerprintTellsOtherWeights() throws Exception {
        TinyEncoder.in(folder);
        String plain = fingerprint(EmbedderOptions.DEFAULTS);
        Path weights = folder.resolve("model.onnx.data");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[50] ^= 1;
        Files.write(weights, bytes);
        assertThat(fingerprint(EmbedderOptions.DEFAULTS)).isNotEqualTo(plain);
    }
}
