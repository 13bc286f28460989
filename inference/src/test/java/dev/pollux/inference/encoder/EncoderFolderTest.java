package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.embedding.TextRole;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an encoder's folder says is what is done. */
class EncoderFolderTest {

    /** Pooled in double, compared in float: values of up to 10 have errors of up to 5e-7. */
    private static final double ROUNDING = 1e-6;

    @TempDir
    private Path folder;

    /** A {@code modules.json} with a transformer, a pooling and {@code more}. */
    private static String modules(String more) {
        return "[{'idx':0,'name':'0','path':'','type':'sentence_transformers.models.Transformer'},"
                + "{'idx':1,'name':'1','path':'1_Pooling','type':'sentence_transformers.models.Pooling'}" + more + "]";
    }

    /** The vector of "a b" as a passage, tokens 2 4 5 3, as the modules leave it. */
    private float[] raw() {
        return raw("a b", TextRole.PASSAGE, options -> options);
    }

    private float[] raw(String text, TextRole role, UnaryOperator<EmbedderOptions.Builder> more) {
        EmbedderOptions options = more.apply(
                        EmbedderOptions.builder().normalize(false).workers(1))
                .build();
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder, options)) {
            float[] vector = embedder.embed(List.of(text), role)[0];
            assertThat(vector).hasSize(embedder.info().dimension());
            return vector;
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

    private static void assertClose(float[] actual, double... expected) {
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).as("component %d", i).isCloseTo(expected[i], within(ROUNDING));
        }
    }

    private static double[] expected(Pooling pooling) {
        double[] a = TinyEncoder.vector(2);
        double[] b = TinyEncoder.vector(4);
        double[] c = TinyEncoder.vector(5);
        double[] d = TinyEncoder.vector(3);
        double[] result = new double[2];
        for (int i = 0; i < 2; i++) {
            double sum = a[i] + b[i] + c[i] + d[i];
            result[i] = switch (pooling) {
                case CLS -> a[i];
                case MAX -> Math.max(Math.max(a[i], b[i]), Math.max(c[i], d[i]));
                case MEAN -> sum / 4;
                case MEAN_SQRT_LENGTH -> sum / 2;
                case WEIGHTED_MEAN -> (a[i] + 2 * b[i] + 3 * c[i] + 4 * d[i]) / 10;
                case LAST_TOKEN -> d[i];
            };
        }
        return result;
    }

    @ParameterizedTest
    @EnumSource
    void poolsAsTheOptionsSay(Pooling pooling) {
        TinyEncoder.in(folder);
        assertClose(raw("a b", TextRole.PASSAGE, options -> options.pooling(pooling)), expected(pooling));
    }

    @ParameterizedTest
    @EnumSource
    void poolsAsAnOlderConfigurationSays(Pooling pooling) {
        TinyEncoder.in(folder)
                .with("modules.json", modules(""))
                .with(
                        "1_Pooling/config.json",
                        "{'word_embedding_dimension':2,'" + pooling.configFlag()
                                + "':true,'pooling_mode_unknown':false}");
        assertClose(raw(), expected(pooling));
    }

    @ParameterizedTest
    @EnumSource
    void poolsAsANewerConfigurationSays(Pooling pooling) {
        TinyEncoder.in(folder)
                .with(
                        "modules.json",
                        modules("").replace("models.Pooling", "sentence_transformer.modules.pooling.Pooling"))
                .with(
                        "1_Pooling/config.json",
                        "{'embedding_dimension':2,'pooling_mode':'" + pooling.configName()
                                + "','include_prompt':true}");
        assertClose(raw(), expected(pooling));
    }

    @Test
    void concatenatesSeveralPoolings() {
        double[] cls = expected(Pooling.CLS);
        double[] mean = expected(Pooling.MEAN);
        TinyEncoder.in(folder)
                .with("1_Pooling/config.json", "{'pooling_mode_mean_tokens':true,'pooling_mode_cls_token':true}");
        assertClose(raw(), cls[0], cls[1], mean[0], mean[1]);
        TinyEncoder.bare(folder).with("1_Pooling/config.json", "{'pooling_mode':['mean','cls']}");
        assertClose(raw(), mean[0], mean[1], cls[0], cls[1]);
    }

    @Test
    void meansWithoutAConfiguration() {
        TinyEncoder.in(folder);
        assertClose(raw(), expected(Pooling.MEAN));
    }

    @Test
    void resultsHaveLengthOneUnlessAskedOtherwise() {
        TinyEncoder.in(folder);
        double[] mean = expected(Pooling.MEAN);
        double norm = Math.hypot(mean[0], mean[1]);
        assertClose(raw("a b", TextRole.PASSAGE, options -> options.normalize(true)), mean[0] / norm, mean[1] / norm);
    }

    @Test
    void refusesAnUnknownPooling() {
        TinyEncoder.in(folder).with("1_Pooling/config.json", "{'pooling_mode':'attention'}");
        assertThatThrownBy(this::raw)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder + ": pooling_mode 'attention' is not supported, only [cls, max, mean,"
                        + " mean_sqrt_len_tokens, weightedmean, lasttoken]");
    }

    @Test
    void putsThePromptsOfTheFolderBeforeTexts() {
        TinyEncoder.in(folder)
                .with("config_sentence_transformers.json", "{'prompts':{'query':'c ','document':'d ','passage':'e '}}");
        assertClose(raw("a", TextRole.QUERY, options -> options), mean(2, 6, 4, 3));
        assertClose(raw("a", TextRole.PASSAGE, options -> options), mean(2, 7, 4, 3));
        assertClose(raw("a", TextRole.QUERY, options -> options.queryPrefix("")), mean(2, 4, 3));
        assertClose(raw("a", TextRole.PASSAGE, options -> options.passagePrefix("j j ")), mean(2, 13, 13, 4, 3));
    }

    @Test
    void takesTheDefaultPromptWhereARoleHasNone() {
        TinyEncoder.in(folder)
                .with(
                        "config_sentence_transformers.json",
                        "{'prompts':{'passage':'e ','other':'f '},'default_prompt_name':'other'}");
        assertClose(raw("a", TextRole.QUERY, options -> options), mean(2, 9, 4, 3));
        assertClose(raw("a", TextRole.PASSAGE, options -> options), mean(2, 8, 4, 3));
        TinyEncoder.bare(folder).with("config_sentence_transformers.json", "{'prompts':{},'default_prompt_name':null}");
        assertClose(raw("a", TextRole.QUERY, options -> options), mean(2, 4, 3));
    }

    @Test
    void leavesThePromptOutOfThePoolingWhereTheFolderSaysSo() {
        TinyEncoder.in(folder)
                .with("1_Pooling/config.json", "{'pooling_mode':'mean','include_prompt':false}")
                .with("config_sentence_transformers.json", "{'prompts':{'query':'c d '}}");
        assertClose(raw("a b", TextRole.QUERY, options -> options), mean(4, 5, 3));
        assertClose(raw("a b", TextRole.PASSAGE, options -> options), mean(2, 4, 5, 3));
    }

    @Test
    void appliesTheModulesAfterThePoolingInTheirOrder() {
        TinyEncoder.in(folder)
                .with(
                        "modules.json",
                        modules(",{'path':'2_Dense','type':'sentence_transformers.models.Dense'},"
                                + "{'path':'3_Drop','type':'sentence_transformers.models.Dropout'},"
                                + "{'path':'4_Norm','type':'sentence_transformers.models.LayerNorm'},"
                                + "{'path':'5_Normalize','type':'sentence_transformers.models.Normalize'}"))
                .with("1_Pooling/config.json", "{'pooling_mode_mean_tokens':true}")
                .with(
                        "2_Dense/config.json",
                        "{'in_features':2,'out_features':3,'bias':true,"
                                + "'activation_function':'torch.nn.modules.activation.Tanh'}")
                .weights(
                        "2_Dense",
                        Map.of(
                                "linear.weight",
                                new float[][] {{1, 0}, {0, 1}, {.5f, -.5f}},
                                "linear.bias",
                                new float[][] {{-3, .25f, 0}}))
                .with("4_Norm/config.json", "{'dimension':3}")
                .weights("4_Norm", Map.of("norm.weight", new float[][] {{1, 2, 3}}, "norm.bias", new float[][] {
                    {0, .5f, 1}
                }));
        double[] mean = expected(Pooling.MEAN);
        double[] dense = {Math.tanh(mean[0] - 3), Math.tanh(mean[1] + .25), Math.tanh(.5 * mean[0] - .5 * mean[1])};
        double average = (dense[0] + dense[1] + dense[2]) / 3;
        double variance = 0;
        for (double value : dense) {
            variance += (value - average) * (value - average) / 3;
        }
        double[] normed = new double[3];
        double squares = 0;
        for (int i = 0; i < 3; i++) {
            normed[i] = (dense[i] - average) / Math.sqrt(variance + 1e-5) * (i + 1) + .5 * i;
            squares += normed[i] * normed[i];
        }
        double norm = Math.sqrt(squares);
        assertClose(raw(), normed[0] / norm, normed[1] / norm, normed[2] / norm);
    }

    @Test
    void addsTheResidualOfADenseModule() {
        TinyEncoder tiny = TinyEncoder.in(folder)
                .with("modules.json", modules(",{'path':'2_Dense','type':'sentence_transformers.models.Dense'}"))
                .with(
                        "2_Dense/config.json",
                        "{'in_features':2,'out_features':2,'bias':false,'use_residual':true,"
                                + "'activation_function':'torch.nn.modules.linear.Identity'}")
                .weights("2_Dense", Map.of("linear.weight", new float[][] {{0, 1}, {1, 0}}));
        double[] mean = expected(Pooling.MEAN);
        assertClose(raw(), mean[1] + mean[0], mean[0] + mean[1]);
        tiny.with(
                        "2_Dense/config.json",
                        "{'in_features':2,'out_features':1,'bias':false,'use_residual':true,"
                                + "'activation_function':'torch.nn.modules.activation.ReLU'}")
                .weights("2_Dense", Map.of("linear.weight", new float[][] {{-1, 0}}, "residual.weight", new float[][] {
                    {2, 3}
                }));
        assertClose(raw(), 2 * mean[0] + 3 * mean[1]);
    }

    @Test
    void refusesModulesItCannotApply() {
        TinyEncoder tiny = TinyEncoder.in(folder)
                .with("modules.json", modules(",{'path':'2_Dense','type':'sentence_transformers.models.Dense'}"))
                .with("2_Dense/config.json", "{'in_features':2,'out_features':2,'activation_function':'my.Swoosh'}")
                .with("2_Dense/pytorch_model.bin", "x");
        Path dense = folder.resolve("2_Dense");
        assertThatThrownBy(this::raw)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(dense + " has its weights in pytorch_model.bin, which is a program and is not run; save the"
                        + " model as safetensors");
        tiny.weights("2_Dense", Map.of("linear.weight", new float[][] {{0, 1}, {1, 0}}));
        assertThatThrownBy(this::raw)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(dense + ": linear.bias must have shape [2] but is missing");
        tiny.weights("2_Dense", Map.of("linear.weight", new float[][] {{0, 1}, {1, 0}}, "linear.bias", new float[][] {
            {1, 1}
        }));
        assertThatThrownBy(this::raw)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        dense + "/config.json: activation_function 'my.Swoosh' is not supported, only [Identity, Tanh,"
                                + " ReLU, LeakyReLU, ELU, Sigmoid, SiLU, Softplus]");
        tiny.with("2_Dense/config.json", "{'in_features':3,'out_features':2}");
        assertThatThrownBy(this::raw)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(dense + ": linear.weight must have shape [2, 3] but has [2, 2]");
        tiny.with("modules.json", modules(",{'path':'2','type':'pylate.models.LSTM'}"));
        assertThatThrownBy(this::raw)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder + "/modules.json: module 'pylate.models.LSTM' is not supported, only Transformer,"
                        + " Pooling, Dense, LayerNorm, Normalize and Dropout");
        tiny.with("modules.json", "[{'path':'1_Dense','type':'pylate.models.Dense'}]");
        assertThatThrownBy(this::raw)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder + "/modules.json: Dense before the pooling is not supported");
    }

    @Test
    void aModuleThatDoesNotFitIsAnError() {
        TinyEncoder.in(folder)
                .with("modules.json", modules(",{'path':'2_Dense','type':'sentence_transformers.models.Dense'}"))
                .with("2_Dense/config.json", "{'in_features':1,'out_features':2,'bias':false}")
                .weights("2_Dense", Map.of("linear.weight", new float[][] {{1}, {1}}));
        assertThatThrownBy(this::raw)
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(folder.resolve("model.onnx")
                        + ": a Dense module does not take vectors of length 2, which come" + " out before it");
    }

    @Test
    void lowersTheCaseWhereTheFolderSaysSo() {
        TinyEncoder.in(folder);
        assertClose(raw("A B", TextRole.PASSAGE, options -> options), mean(2, 1, 1, 3));
        TinyEncoder.bare(folder).with("sentence_bert_config.json", "{'max_seq_length':9,'do_lower_case':true}");
        assertClose(raw("A B", TextRole.PASSAGE, options -> options), mean(2, 4, 5, 3));
    }

    @Test
    void pathsStayWithinTheFolder() {
        TinyEncoder.in(folder).with("modules.json", "[{'path':'../other','type':'Pooling'}]");
        assertThatThrownBy(this::raw)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder + ": path '../other' must stay within the folder");
        TinyEncoder.bare(folder).with("modules.json", modules(""));
        assertThatThrownBy(() -> raw("a", TextRole.QUERY, options -> options.file("/etc/model.onnx")))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder + ": path '/etc/model.onnx' must stay within the folder");
    }

    @Test
    void whatIsNotAFolderOrNotJsonIsSaidSo() {
        assertThatThrownBy(() -> OnnxEmbedder.open(folder.resolve("none")))
                .isInstanceOf(StorageException.class)
                .hasMessage(folder.resolve("none") + " must be the folder of an ONNX encoder but is not a folder");
        TinyEncoder tiny = TinyEncoder.bare(folder);
        assertThatThrownBy(this::raw)
                .isInstanceOf(StorageException.class)
                .hasMessage(folder + " must hold model.onnx or onnx/model.onnx but has []; name the file with"
                        + " EmbedderOptions.file, or export the model to ONNX");
        tiny.model("model.onnx");
        assertThatThrownBy(this::raw)
                .isInstanceOf(StorageException.class)
                .hasMessage(folder + " has no tokenizer.json; download it, or save the tokenizer as a fast one");
        tiny.tokenizer(true).with("modules.json", "{");
        assertThatThrownBy(this::raw)
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(folder.resolve("modules.json") + " is not JSON: ");
    }

    @Test
    void findsTheModelFile() {
        TinyEncoder tiny = TinyEncoder.bare(folder).tokenizer(true).model("onnx/encoder_q4.onnx");
        assertClose(raw(), expected(Pooling.MEAN));
        tiny.model("onnx/other.onnx");
        assertThatThrownBy(this::raw)
                .isInstanceOf(StorageException.class)
                .hasMessage(folder + " must hold model.onnx or onnx/model.onnx but has [onnx/encoder_q4.onnx,"
                        + " onnx/other.onnx]; name the file with EmbedderOptions.file, or export the model to ONNX");
        assertClose(raw("a b", TextRole.PASSAGE, options -> options.file("onnx/other.onnx")), expected(Pooling.MEAN));
        assertThatThrownBy(() -> raw("a", TextRole.PASSAGE, options -> options.file("model.onnx")))
                .isInstanceOf(StorageException.class)
                .hasMessage("There is no model file " + folder.resolve("model.onnx")
                        + "; the folder has [onnx/encoder_q4.onnx, onnx/other.onnx]");
        tiny.model("onnx/model_quantized.onnx");
        assertClose(raw(), expected(Pooling.MEAN));
    }

    private int maxTokens(UnaryOperator<EmbedderOptions.Builder> more) {
        try (OnnxEmbedder embedder = OnnxEmbedder.open(
                folder, more.apply(EmbedderOptions.builder().workers(1)).build())) {
            return embedder.info().maxTokens();
        }
    }

    @Test
    void readsHowManyTokensTheModelTakes() {
        TinyEncoder tiny = TinyEncoder.in(folder);
        assertThat(maxTokens(options -> options)).isEqualTo(512);
        tiny.with("config.json", "{'model_type':'bert','max_position_embeddings':64}");
        assertThat(maxTokens(options -> options)).isEqualTo(64);
        tiny.with("tokenizer_config.json", "{'model_max_length':1000000000000000019884624838656}");
        assertThat(maxTokens(options -> options)).isEqualTo(64);
        tiny.with("tokenizer_config.json", "{'model_max_length':48}");
        assertThat(maxTokens(options -> options)).isEqualTo(48);
        tiny.with("sentence_bert_config.json", "{'max_seq_length':null}");
        assertThat(maxTokens(options -> options)).isEqualTo(48);
        tiny.with("sentence_bert_config.json", "{'max_seq_length':32}");
        assertThat(maxTokens(options -> options)).isEqualTo(32);
        assertThat(maxTokens(options -> options.maxTokens(60))).isEqualTo(60);
        tiny.with("sentence_bert_config.json", "{'max_seq_length':100}");
        assertThat(maxTokens(options -> options)).isEqualTo(64);
    }

    @Test
    void positionsOfRobertaModelsBeginAfterThePaddingToken() {
        TinyEncoder.in(folder)
                .with("config.json", "{'model_type':'xlm-roberta','max_position_embeddings':66,'pad_token_id':1}");
        assertThat(maxTokens(options -> options)).isEqualTo(64);
        assertThatThrownBy(() -> maxTokens(options -> options.maxTokens(65)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxTokens must be at most 64, the positions of the model " + folder.getFileName()
                        + ", but was 65");
    }

    @Test
    void tokensThatFilesBesideTheTokenizerAddAreReadAsFarAsTheModelHasVectorsForThem() {
        TinyEncoder.in(folder)
                .with("config.json", "{'vocab_size': 14}")
                .with(
                        "tokenizer_config.json",
                        "{'added_tokens_decoder': {'13': {'content': 'j', 'special': false}, '14': {'content': 'zz'}}}");
        assertClose(raw("aj b", TextRole.PASSAGE, options -> options), mean(2, 4, 13, 5, 3));
        assertClose(raw("zz", TextRole.PASSAGE, options -> options), mean(2, 1, 3));
    }

    @Test
    void addedTokensChangeTheFingerprintAndOtherFilesDoNot() {
        TinyEncoder encoder = TinyEncoder.in(folder);
        String before = fingerprint();
        encoder.with("tokenizer_config.json", "{'model_max_length': 512}");
        String limited = fingerprint();
        encoder.with("generation_config.json", "{}");
        assertThat(fingerprint()).isEqualTo(limited).isEqualTo(before);
        encoder.with("added_tokens.json", "{'j': 13}");
        assertThat(fingerprint()).isNotEqualTo(before);
    }

    private String fingerprint() {
        try (OnnxEmbedder embedder = OnnxEmbedder.open(folder)) {
            return embedder.info().fingerprint();
        }
    }
}
