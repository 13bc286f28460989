package dev.pollux.inference.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.inference.encoder.OnnxReranker;
import dev.pollux.inference.encoder.RerankerOptions;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encoders and rerankers from checkpoints, measured. */
@NoLeaks
class MeasuredEncoderTest {

    private static final String TEXT = String.join(
            "\n\n",
            "a b c d e f g h i j k l a b c d e f g h i j k l",
            "g h i a b d f h j l a c e g i k a a a a b b c c d",
            "j k l a j k l a j k l a b c d b c d b c d e e e f",
            "l k j i h g f e d c b a l k j i h g f e d c b a a");

    @TempDir
    private Path temp;

    private MeasuredQuantizer quantizer() {
        return MeasuredQuantizer.of(
                QuantizerOptions.builder().threads(2).build(),
                EngineOptions.builder().threads(1).cache(temp.resolve("cache")).build());
    }

    private static QuantizationRecipe recipe(QuantizationMethod method) {
        return QuantizationRecipe.builder().method(method).bits(8).blockSize(16).build();
    }

    @Test
    void anEmbedderIsComparedByItsVectors() {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();
        for (QuantizationMethod method : List.of(QuantizationMethod.INT8, QuantizationMethod.SEARCH)) {
            Path target = temp.resolve(method.text());
            QualityReport report = quantizer()
                    .quantize(model, target, recipe(method), LossGoal.on(TEXT))
                    .run();
            assertThat(report.embeddings().orElseThrow().texts()).isEqualTo(4);
            assertThat(report.embeddings().orElseThrow().leastCosine()).isBetween(.999, 1 + 1e-6);
            assertThat(report.values()).containsKey("embeddings").doesNotContainKey("comparison");
            assertThat(report.markdown()).contains("| least cosine |");
            assertThat(ArtifactManifest.read(target).orElseThrow().scores()).containsKey("cosine");
        }
        LossGoal limited = LossGoal.on(TEXT).withMostKl(1);
        assertThatThrownBy(() -> quantizer()
                        .quantize(model, temp.resolve("limited"), recipe(QuantizationMethod.INT8), limited)
                        .run())
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        "mostKl needs a decoder, whose KL can be measured, but " + model + " is none; leave it out");
        assertThat(temp.resolve("limited")).doesNotExist();
    }

    @Test
    void aRerankerOfIntegersRanksLikeItsOriginal() {
        Path model = TinyCheckpoint.bert(temp.resolve("model"), "BertForSequenceClassification", "bert.")
                .linear("bert.pooler.dense", TinyCheckpoint.WIDTH, TinyCheckpoint.WIDTH, true)
                .linear("classifier", 1, TinyCheckpoint.WIDTH, true)
                .tokenizer()
                .write()
                .folder();
        List<String> texts = List.of("a b c", "d e f g", "h i j k l", "l l l l");
        for (QuantizationMethod method : List.of(QuantizationMethod.INT8, QuantizationMethod.SEARCH)) {
            Path target = temp.resolve(method.text());
            OnnxQuantizer.create().quantize(model, target, recipe(method)).run();
            float[] exact = scores(model, texts);
            float[] rounded = scores(target, texts);
            for (int i = 0; i < exact.length; i++) {
                assertThat(rounded[i]).isBetween(exact[i] - .02f, exact[i] + .02f);
            }
        }
    }

    @Test
    void encodersAreToldFromDecodersAndNetworks() throws IOException {
        Path checkpoint = TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "")
                .tokenizer()
                .write()
                .folder();
        Path graph = temp.resolve("graph");
        OnnxQuantizer.create()
                .quantize(checkpoint, graph, recipe(QuantizationMethod.SEARCH))
                .run();
        assertThat(OnnxQuantizer.isEncoder(checkpoint)).isTrue();
        assertThat(OnnxQuantizer.isEncoder(graph)).isTrue();
        Path decoder = TinyDecoder.llama(1).write(temp.resolve("decoder"));
        Path exported = temp.resolve("exported");
        OnnxQuantizer.create()
                .quantize(decoder, exported, recipe(QuantizationMethod.SEARCH))
                .run();
        assertThat(OnnxQuantizer.isEncoder(decoder)).isFalse();
        assertThat(OnnxQuantizer.isEncoder(exported)).isFalse();
        assertThat(OnnxQuantizer.isEncoder(graph.resolve("model.onnx"))).isFalse();
    }

    private float[] scores(Path folder, List<String> texts) {
        RerankerOptions options = RerankerOptions.builder()
                .cache(temp.resolve("cache"))
                .workers(1)
                .build();
        try (OnnxReranker reranker = OnnxReranker.open(folder, options)) {
            return reranker.score("a c e", texts);
        }
    }
}
