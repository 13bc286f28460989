package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Vectors from a folder of safetensors, with what its sentence-transformers files say. */
@NoLeaks
class CheckpointEmbedderTest {

    /** Of single precision. */
    private static final float ROUNDING = 1e-6f;

    /** Cosine of a vector with its rounded one: two layers of width 16 average over little. */
    private static final double EIGHT_BITS = 0.999;

    @TempDir
    private Path temp;

    private TinyCheckpoint bert() {
        return TinyCheckpoint.bert(temp.resolve("model"), "BertModel", "").tokenizer();
    }

    private EmbedderOptions.Builder options() {
        return EmbedderOptions.builder().cache(temp.resolve("cache")).workers(2);
    }

    private float[] embed(TinyCheckpoint checkpoint, EmbedderOptions options, TextRole role, String text) {
        try (OnnxEmbedder embedder = OnnxEmbedder.open(checkpoint.folder(), options)) {
            return embedder.embed(List.of(text), role)[0];
        }
    }

    /** The hidden states of [CLS] text [SEP], (tokens · width), from the exported graph itself. */
    private float[] hidden(TinyCheckpoint checkpoint, int... ids) {
        Path graph =
                EncoderExport.cached(checkpoint.folder(), EncoderWeights.FLOAT, temp.resolve("cache"), JobContext.NONE);
        return GraphRun.row(graph.resolve(EncoderExport.MODEL_FILE), ids);
    }

    private static float[] normalized(float[] vector) {
        return new VectorLayer.Normalize().apply(vector);
    }

    private static float[] token(float[] hidden, int index) {
        return Arrays.copyOfRange(hidden, index * TinyCheckpoint.WIDTH, (index + 1) * TinyCheckpoint.WIDTH);
    }

    private static String modules(String... kinds) {
        StringBuilder json = new StringBuilder("[{'idx':0,'name':'0','path':'','type':'x.Transformer'}");
        for (int i = 0; i < kinds.length; i++) {
            json.append(",{'idx':")
                    .append(i + 1)
                    .append(",'path':'")
                    .append(i + 1)
                    .append('_')
                    .append(kinds[i]);
            json.append("','type':'sentence_transformers.models.")
                    .append(kinds[i])
                    .append("'}");
        }
        return json.append(']').toString();
    }

    @Test
    void poolingAndPromptsComeFromTheFolder() {
        TinyCheckpoint checkpoint = bert().with("modules.json", modules("Pooling", "Normalize"))
                .with("1_Pooling/config.json", "{'pooling_mode_cls_token':true,'pooling_mode_mean_tokens':false}")
                .with("config_sentence_transformers.json", "{'prompts':{'query':'a b ','document':''}}")
                .write();
        float[] query = embed(checkpoint, options().build(), TextRole.QUERY, "c");
        assertThat(query).containsExactly(normalized(token(hidden(checkpoint, 2, 4, 5, 6, 3), 0)), within(ROUNDING));
        float[] passage = embed(checkpoint, options().build(), TextRole.PASSAGE, "c");
        assertThat(passage).containsExactly(normalized(token(hidden(checkpoint, 2, 6, 3), 0)), within(ROUNDING));
    }

    @Test
    void aTextHasItsVectorWhateverStandsBesideIt() {
        TinyCheckpoint checkpoint = bert().write();
        List<String> texts = List.of("a b c d e f g h", "k", "", "l l a");
        try (OnnxEmbedder embedder =
                OnnxEmbedder.open(checkpoint.folder(), options().build())) {
            float[][] together = embedder.embed(texts, TextRole.PASSAGE);
            for (int i = 0; i < texts.size(); i++) {
                assertThat(embedder.embed(List.of(texts.get(i)), TextRole.PASSAGE)[0])
                        .isEqualTo(together[i]);
            }
            assertThat(embedder.info().dimension()).isEqualTo(TinyCheckpoint.WIDTH);
            assertThat(embedder.info().maxTokens()).isEqualTo(TinyCheckpoint.POSITIONS);
        }
    }

    @Test
    void vectorsAreCutToAMatryoshkaDimension() {
        TinyCheckpoint checkpoint =
                bert().json("matryoshka_dimensions", "[8,4]").write();
        float[] whole = embed(checkpoint, options().build(), TextRole.PASSAGE, "a b");
        float[] cut = embed(checkpoint, options().dimension(4).build(), TextRole.PASSAGE, "a b");
        assertThat(cut).containsExactly(normalized(Arrays.copyOf(whole, 4)), within(ROUNDING));
        EmbedderOptions other = options().dimension(5).build();
        assertThatThrownBy(() -> OnnxEmbedder.open(checkpoint.folder(), other))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("dimension must be one of [4, 8], to which model was trained, but was 5");
        checkpoint.json("matryoshka_dimensions", "").with("config_sentence_transformers.json", "{'truncate_dim':3}");
        checkpoint.write();
        assertThat(embed(checkpoint, options().build(), TextRole.PASSAGE, "a b"))
                .hasSize(3);
        EmbedderOptions large = options().dimension(17).build();
        assertThatThrownBy(() -> OnnxEmbedder.open(checkpoint.folder(), large))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("dimension must be in [1, 16], the vectors of ")
                .hasMessageEndingWith("model.onnx, but was 17");
    }

    @Test
    void theFingerprintKnowsTheDimension() {
        TinyCheckpoint checkpoint = bert().write();
        TreeSet<String> prints = new TreeSet<>();
        for (EmbedderOptions options : List.of(
                options().build(), options().dimension(4).build(), options().build())) {
            try (OnnxEmbedder embedder = OnnxEmbedder.open(checkpoint.folder(), options)) {
                prints.add(embedder.info().fingerprint());
            }
        }
        assertThat(prints).hasSize(2);
    }

    private static String fingerprint(Path folder, EmbedderOptions options) {
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            return embedder.info().fingerprint();
        }
    }

    @Test
    void theFingerprintIsThatOfTheCheckpointAndNotOfItsExport() throws IOException {
        TinyCheckpoint checkpoint = bert().write();
        String print = fingerprint(checkpoint.folder(), options().build());
        Path graph = EncoderExport.cached(
                        checkpoint.folder(), EncoderWeights.FLOAT, temp.resolve("cache"), JobContext.NONE)
                .resolve(EncoderExport.MODEL_FILE);
        byte[] unknown = {(byte) 0xf8, 0x07, 1}; // field 127 of the message, which readers pass over
        Files.write(graph, unknown, StandardOpenOption.APPEND);

        assertThat(fingerprint(checkpoint.folder(), options().build())).isEqualTo(print);
        EmbedderOptions elsewhere = options().cache(temp.resolve("other cache")).build();
        assertThat(fingerprint(checkpoint.folder(), elsewhere)).isEqualTo(print);
        Path moved = Files.move(checkpoint.folder(), temp.resolve("moved"));
        assertThat(fingerprint(moved, elsewhere)).isEqualTo(print);
        assertThat(fingerprint(moved, options().weights(EncoderWeights.BITS_8).build()))
                .isNotEqualTo(print);
        Files.writeString(moved.resolve("tokenizer.json"), Files.readString(moved.resolve("tokenizer.json")) + "\n");
        assertThat(fingerprint(moved, elsewhere)).isNotEqualTo(print);
    }

    @Test
    void eightBitsStayNearTheFloats() {
        TinyCheckpoint checkpoint = bert().write();
        String text = "a b c d e f g h i j k l";
        float[] floats = embed(checkpoint, options().build(), TextRole.PASSAGE, text);
        EmbedderOptions rounded = options().weights(EncoderWeights.BITS_8).build();
        float[] bytes = embed(checkpoint, rounded, TextRole.PASSAGE, text);
        double cosine = 0;
        for (int i = 0; i < floats.length; i++) {
            cosine += floats[i] * bytes[i];
        }
        assertThat(cosine).isBetween(EIGHT_BITS, 1 + (double) ROUNDING);
        assertThat(bytes).isNotEqualTo(floats);
        try (OnnxEmbedder embedder = OnnxEmbedder.open(checkpoint.folder(), rounded)) {
            assertThat(embedder.embed(List.of("k", text, "a a a"), TextRole.PASSAGE)[1])
                    .isEqualTo(bytes);
        }
    }

    @Test
    void openingReportsTheExportOnce() {
        TinyCheckpoint checkpoint = bert().write();
        for (int round = 0; round < 2; round++) {
            TreeSet<String> stages = new TreeSet<>();
            Job<OnnxEmbedder> job =
                    OnnxEmbedder.openJob(checkpoint.folder(), options().build());
            job.onEvent(event -> {
                if (event instanceof JobEvent.Progress progress) {
                    stages.add(progress.stage());
                }
            });
            job.run().close();
            assertThat(stages.contains("layers")).isEqualTo(round == 0);
        }
    }

    @Test
    void anOnnxModelInTheFolderComesFirst() {
        TinyCheckpoint checkpoint = bert().write();
        TinyEncoder.bare(checkpoint.folder()).model("model.onnx");
        assertThat(embed(checkpoint, options().build(), TextRole.PASSAGE, "a")).hasSize(TinyEncoder.WIDTH);
        assertThat(temp.resolve("cache")).doesNotExist();
    }

    @Test
    void nothingIsWrittenForAFolderThatCannotBeOpened() throws Exception {
        TinyCheckpoint checkpoint = bert().write();
        Files.delete(checkpoint.folder().resolve("tokenizer.json"));
        assertThatThrownBy(
                        () -> OnnxEmbedder.open(checkpoint.folder(), options().build()))
                .isInstanceOf(StorageException.class)
                .hasMessage(checkpoint.folder()
                        + " has no tokenizer.json; download it, or save the tokenizer as a fast one");
        assertThat(temp.resolve("cache")).doesNotExist();
    }

    @Test
    void weightsThatAreAProgramAreRefused() {
        TinyCheckpoint checkpoint = bert().with("pytorch_model.bin", "…").with("config.json", "{}");
        assertThatThrownBy(
                        () -> OnnxEmbedder.open(checkpoint.folder(), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(checkpoint.folder() + " has its weights in pytorch_model.bin, which is a program and is not"
                        + " run; save the model as safetensors");
    }

    @Test
    void aCrossEncoderGivesNoVectors() {
        TinyCheckpoint checkpoint = bert().json("architectures", "['BertForSequenceClassification']")
                .write();
        assertThatThrownBy(
                        () -> OnnxEmbedder.open(checkpoint.folder(), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(checkpoint.folder()
                        + " holds a model that gives scores, not vectors; open it with OnnxReranker");
    }
}
