package dev.pollux.inference.encoder.export;

import static dev.pollux.inference.encoder.TinyCheckpoint.INNER;
import static dev.pollux.inference.encoder.TinyCheckpoint.LAYERS;
import static dev.pollux.inference.encoder.TinyCheckpoint.VOCABULARY;
import static dev.pollux.inference.encoder.TinyCheckpoint.WIDTH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.encoder.GraphRun;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.tensor.DType;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What follows from a configuration and the names of tensors, where no golden checkpoint shows it. */
@NoLeaks
class EncoderExportTest {

    /** Of single precision through two layers of width 16. */
    private static final double ROUNDING = 2e-5;

    private static final int[] IDS = {2, 5, 9, 14, 3};

    @TempDir
    private Path temp;

    private int exports;

    private Path export(TinyCheckpoint checkpoint) {
        Path target = temp.resolve("export" + exports++);
        EncoderExport.export(checkpoint.folder(), target, EncoderWeights.FLOAT).run();
        return target.resolve(EncoderExport.MODEL_FILE);
    }

    private Path folder(String name) {
        return temp.resolve(name);
    }

    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).containsExactly(expected, within((float) ROUNDING));
    }

    /** W·x + b of a stored layer. */
    private static float[] linear(TinyCheckpoint checkpoint, String name, float[] x) {
        float[] weight = checkpoint.values(name + ".weight");
        float[] bias = checkpoint.values(name + ".bias");
        float[] y = new float[bias.length];
        for (int row = 0; row < y.length; row++) {
            double sum = bias[row];
            for (int i = 0; i < x.length; i++) {
                sum += weight[row * x.length + i] * x[i];
            }
            y[row] = (float) sum;
        }
        return y;
    }

    private static float[] map(float[] x, DoubleUnaryOperator f) {
        float[] y = new float[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = (float) f.applyAsDouble(x[i]);
        }
        return y;
    }

    /** x·Φ(x), with the normal distribution summed numerically. */
    private static double gelu(double x) {
        int steps = 2000;
        double area = 0;
        for (int i = 0; i < steps; i++) {
            double t = x * (i + 0.5) / steps;
            area += Math.exp(-t * t / 2) * x / steps;
        }
        return x * (0.5 + area / Math.sqrt(2 * Math.PI));
    }

    private void checkHead(TinyCheckpoint model, String scores, String prefix, Head head) {
        model.write();
        float[] first = Arrays.copyOf(GraphRun.row(export(model), IDS), WIDTH);
        TinyCheckpoint scoring =
                model.renamed(folder(scores), name -> prefix + name).json("architectures", "['" + scores + "']");
        head.add(scoring);
        Path exported = export(scoring.write());
        float[] due = head.apply(scoring, first);
        assertClose(GraphRun.row(exported, IDS), due);
        assertClose(GraphRun.row(exported, -1, -1, 2, 5, 9, 14, 3), due);
        assertClose(GraphRun.row(exported, 2, 5, 9, 14, 3, -1), due);
    }

    /** A head of two layers over the first token, which gives three labels. */
    private record Head(String dense, DoubleUnaryOperator f, String labels) {

        void add(TinyCheckpoint checkpoint) {
            checkpoint.linear(dense, WIDTH, WIDTH, true).linear(labels, 3, WIDTH, true);
        }

        float[] apply(TinyCheckpoint checkpoint, float[] first) {
            return linear(checkpoint, labels, map(linear(checkpoint, dense, first), f));
        }
    }

    @Test
    void bertScoresThroughItsPooler() {
        TinyCheckpoint model = TinyCheckpoint.bert(folder("model"), "BertModel", "");
        Head head = new Head("bert.pooler.dense", Math::tanh, "classifier");
        checkHead(model, "BertForSequenceClassification", "bert.", head);
    }

    @Test
    void robertaAndElectraScoreThroughHeadsOfTheirOwn() {
        TinyCheckpoint roberta =
                TinyCheckpoint.bert(folder("model"), "XLMRobertaModel", "").set("pad_token_id", 1);
        Head head = new Head("classifier.dense", Math::tanh, "classifier.out_proj");
        checkHead(roberta, "XLMRobertaForSequenceClassification", "roberta.", head);
        TinyCheckpoint electra = TinyCheckpoint.bert(folder("electra"), "ElectraModel", "");
        Head other = new Head("classifier.dense", EncoderExportTest::gelu, "classifier.out_proj");
        checkHead(electra, "ElectraForSequenceClassification", "electra.", other);
    }

    @Test
    void robertaTakesNoTypes() {
        TinyCheckpoint model = TinyCheckpoint.bert(folder("model"), "RobertaModel", "")
                .set("type_vocab_size", 1)
                .linear("embeddings.token_type_embeddings", 1, WIDTH, false);
        Path exported = export(model.write());
        int[] types = {0, 0, 1, 1, 1};
        assertThat(GraphRun.row(exported, IDS, types)).isEqualTo(GraphRun.row(exported, IDS));
    }

    @Test
    void distilBertScoresThroughARectifier() {
        TinyCheckpoint bert = TinyCheckpoint.bert(folder("bert"), "BertModel", "");
        TinyCheckpoint model = bert.renamed(
                        folder("model"),
                        name -> name.replace("encoder.", "transformer.")
                                .replace("self.query", "q_lin")
                                .replace("self.key", "k_lin")
                                .replace("self.value", "v_lin")
                                .replace("attention.output.dense", "attention.out_lin")
                                .replace("attention.output.LayerNorm", "sa_layer_norm")
                                .replace("intermediate.dense", "ffn.lin1")
                                .replace("output.dense", "ffn.lin2")
                                .replace("output.LayerNorm", "output_layer_norm"))
                .without("embeddings.token_type_embeddings.weight")
                .json("architectures", "['DistilBertModel']");
        Head head = new Head("pre_classifier", x -> Math.max(0, x), "classifier");
        checkHead(model, "DistilBertForSequenceClassification", "distilbert.", head);
        // It is BERT whose token types are nothing.
        Arrays.fill(bert.values("embeddings.token_type_embeddings.weight"), 0);
        assertClose(GraphRun.row(export(model), IDS), GraphRun.row(export(bert.write()), IDS));
    }

    @Test
    void oldNamesOfNormsAndAnyPrefixAreUnderstood() {
        TinyCheckpoint model =
                TinyCheckpoint.bert(folder("model"), "BertModel", "").write();
        TinyCheckpoint old = model.renamed(
                        folder("old"),
                        name -> "bert."
                                + name.replace("LayerNorm.weight", "LayerNorm.gamma")
                                        .replace("LayerNorm.bias", "LayerNorm.beta"))
                .linear("cls.predictions.transform.dense", WIDTH, WIDTH, true)
                .json("architectures", "['BertForMaskedLM']")
                .write();
        assertThat(GraphRun.row(export(old), IDS)).isEqualTo(GraphRun.row(export(model), IDS));
    }

    @Test
    void halfPrecisionIsReadAsItIs() {
        TinyCheckpoint model = TinyCheckpoint.bert(folder("model"), "BertModel", "");
        float[] expected = GraphRun.row(export(model.write()), IDS);
        assertThat(GraphRun.row(export(model.write(DType.BF16)), IDS)).isEqualTo(expected);
        assertThat(GraphRun.row(export(model.write(DType.F16)), IDS)).isEqualTo(expected);
    }

    @Test
    void nomicIsUnderstoodUnderBothSetsOfNames() {
        TinyCheckpoint published = TinyCheckpoint.of(folder("published"), "NomicBertModel")
                .json("hidden_size", "")
                .json("intermediate_size", "")
                .json("max_position_embeddings", "")
                .set("n_embd", WIDTH)
                .set("n_inner", INNER)
                .set("n_positions", 40)
                .set("activation_function", "swiglu")
                .set("layer_norm_epsilon", 1e-12)
                .set("rotary_emb_base", 1000);
        published.linear("embeddings.word_embeddings", VOCABULARY, WIDTH, false);
        published.linear("embeddings.token_type_embeddings", 2, WIDTH, false).norm("emb_ln", true);
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "encoder.layers." + layer + ".";
            published.linear(at + "attn.Wqkv", 3 * WIDTH, WIDTH, false);
            published.linear(at + "attn.out_proj", WIDTH, WIDTH, false);
            published.linear(at + "mlp.fc11", INNER, WIDTH, false).linear(at + "mlp.fc12", INNER, WIDTH, false);
            published.linear(at + "mlp.fc2", WIDTH, INNER, false);
            published.norm(at + "norm1", true).norm(at + "norm2", true);
        }
        float[] expected = GraphRun.row(export(published.write()), IDS);
        TinyCheckpoint renamed = published.renamed(
                folder("renamed"),
                name -> "nomic_bert."
                        + name.replace("encoder.layers", "layers")
                                .replace("emb_ln", "embeddings.LayerNorm")
                                .replace("attn.out_proj", "self_attn.o_proj")
                                .replace("fc11", "up_proj")
                                .replace("fc12", "gate_proj")
                                .replace("fc2", "down_proj")
                                .replace("norm1", "post_attention_layernorm")
                                .replace("norm2", "post_mlp_layernorm"));
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "nomic_bert.layers." + layer + ".";
            float[] packed = renamed.values(at + "attn.Wqkv.weight");
            String[] parts = {"q_proj", "k_proj", "v_proj"};
            for (int part = 0; part < parts.length; part++) {
                String name = at + "self_attn." + parts[part];
                int size = WIDTH * WIDTH;
                System.arraycopy(
                        packed,
                        part * size,
                        renamed.linear(name, WIDTH, WIDTH, false).values(name + ".weight"),
                        0,
                        size);
            }
            renamed.without(at + "attn.Wqkv.weight");
        }
        renamed.set("hidden_size", WIDTH).set("intermediate_size", INNER).set("max_position_embeddings", 40);
        assertClose(GraphRun.row(export(renamed.write()), IDS), expected);
    }

    private TinyCheckpoint modernBert() {
        TinyCheckpoint model = TinyCheckpoint.of(folder("modern"), "ModernBertModel")
                .set("local_attention", 2)
                .set("global_attn_every_n_layers", 2)
                .set("global_rope_theta", 500.0)
                .set("local_rope_theta", 30.0);
        model.linear("embeddings.tok_embeddings", VOCABULARY, WIDTH, false).norm("embeddings.norm", false);
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "layers." + layer + ".";
            model.linear(at + "attn.Wqkv", 3 * WIDTH, WIDTH, false).linear(at + "attn.Wo", WIDTH, WIDTH, false);
            model.linear(at + "mlp.Wi", 2 * INNER, WIDTH, false).linear(at + "mlp.Wo", WIDTH, INNER, false);
            model.norm(at + "mlp_norm", false);
        }
        return model.norm("layers.1.attn_norm", false).norm("final_norm", false);
    }

    @Test
    void theConfigurationOfModernBertIsUnderstoodInBothSpellings() {
        TinyCheckpoint model = modernBert();
        float[] expected = GraphRun.row(export(model.write()), IDS);
        TinyCheckpoint newer = model.renamed(folder("newer"), name -> name)
                .json("global_attn_every_n_layers", "")
                .json("global_rope_theta", "")
                .json("local_rope_theta", "")
                .json("layer_types", "['full_attention','sliding_attention']")
                .json(
                        "rope_parameters",
                        "{'full_attention':{'rope_theta':500.0,'rope_type':'default'},"
                                + "'sliding_attention':{'rope_theta':30.0,'rope_type':'default'}}");
        assertThat(GraphRun.row(export(newer.write()), IDS)).isEqualTo(expected);
        float[] everywhere = GraphRun.row(
                export(newer.json("layer_types", "['full_attention','full_attention']")
                        .write()),
                IDS);
        assertThat(everywhere).isNotEqualTo(expected);
    }

    private static float[] last(float[] hidden) {
        return Arrays.copyOfRange(hidden, hidden.length - WIDTH, hidden.length);
    }

    @Test
    void aDecoderSeesWhatStandsBefore() {
        TinyCheckpoint model = TinyCheckpoint.decoder(folder("decoder"), "LlamaModel");
        Path causal = export(model.write());
        float[] longer = GraphRun.row(causal, 4, 5, 6, 7);
        assertClose(Arrays.copyOf(longer, 2 * WIDTH), GraphRun.row(causal, 4, 5));
        Path open = export(model.set("is_causal", false).write());
        float[] seesAll = GraphRun.row(open, 4, 5, 6, 7);
        assertThat(Arrays.copyOf(seesAll, WIDTH)).isNotEqualTo(Arrays.copyOf(longer, WIDTH));
        float[] padded = GraphRun.row(open, -1, 4, 5);
        assertClose(Arrays.copyOfRange(padded, WIDTH, padded.length), GraphRun.row(open, 4, 5));
    }

    @Test
    void aWindowOfADecoderReachesBackOnly() {
        TinyCheckpoint model = TinyCheckpoint.decoder(folder("window"), "MistralModel")
                .set("sliding_window", 2)
                .set("num_hidden_layers", 1);
        model.withoutLayer("layers.1.");
        Path windowed = export(model.write());
        assertClose(last(GraphRun.row(windowed, 4, 5, 6, 7)), last(GraphRun.row(windowed, 6, 7)));
        Path whole = export(model.json("sliding_window", "null").write());
        assertThat(last(GraphRun.row(whole, 4, 5, 6, 7))).isNotEqualTo(last(GraphRun.row(whole, 6, 7)));
    }

    @Test
    void rotaryScalingIsHeededInBothSpellings() {
        TinyCheckpoint model = TinyCheckpoint.decoder(folder("scaled"), "LlamaModel");
        float[] plain = GraphRun.row(export(model.write()), IDS);
        for (String type : new String[] {"linear", "llama3", "yarn"}) {
            String none = "{'rope_type':'" + type + "','factor':1.0}";
            assertClose(GraphRun.row(export(model.json("rope_scaling", none).write()), IDS), plain);
            String scaled = "{'type':'" + type + "','factor':4.0,'original_max_position_embeddings':16}";
            float[] old = GraphRun.row(export(model.json("rope_scaling", scaled).write()), IDS);
            assertThat(old).as(type).isNotEqualTo(plain);
            model.json("rope_scaling", "").json("rope_parameters", scaled.replace("'type'", "'rope_type'"));
            assertThat(GraphRun.row(export(model.write()), IDS)).isEqualTo(old);
            model.json("rope_parameters", "");
        }
    }

    @Test
    void aDecoderScoresItsLastToken() {
        TinyCheckpoint model = TinyCheckpoint.decoder(folder("decoder"), "Qwen3Model");
        model.tensor("layers.0.self_attn.q_norm.weight", WIDTH / 2)
                .tensor("layers.0.self_attn.k_norm.weight", WIDTH / 2)
                .tensor("layers.1.self_attn.q_norm.weight", WIDTH / 2)
                .tensor("layers.1.self_attn.k_norm.weight", WIDTH / 2);
        float[] vector = last(GraphRun.row(export(model.write()), IDS));
        TinyCheckpoint scoring = model.renamed(folder("scoring"), name -> "model." + name)
                .json("architectures", "['Qwen3ForSequenceClassification']")
                .linear("score", 2, WIDTH, true);
        Arrays.fill(scoring.values("score.bias"), 0);
        float[] due = linear(scoring, "score", vector);
        Path exported = export(scoring.without("score.bias").write());
        assertClose(GraphRun.row(exported, IDS), due);
        assertClose(GraphRun.row(exported, -1, -1, 2, 5, 9, 14, 3), due);
        assertClose(GraphRun.row(exported, 2, 5, 9, 14, 3, -1, -1), due);
    }

    private TinyCheckpoint deberta(String name) {
        TinyCheckpoint model = TinyCheckpoint.bert(folder("bert"), "BertModel", "")
                .without("embeddings.position_embeddings.weight")
                .without("embeddings.token_type_embeddings.weight")
                .renamed(folder(name), old -> old.replaceAll("self\\.(query|key|value)", "self.$1_proj"))
                .json("architectures", "['DebertaV2Model']")
                .set("relative_attention", true)
                .set("position_biased_input", false)
                .set("share_att_key", true)
                .set("position_buckets", 4)
                .set("pos_att_type", "p2c|c2p")
                .set("norm_rel_ebd", "none");
        return model.linear("encoder.rel_embeddings", 8, WIDTH, false);
    }

    @Test
    void debertaMayHaveMatricesForPositions() {
        TinyCheckpoint shared = deberta("shared");
        float[] expected = GraphRun.row(export(shared.write()), IDS);
        TinyCheckpoint own = shared.renamed(folder("own"), name -> name).set("share_att_key", false);
        for (int layer = 0; layer < LAYERS; layer++) {
            String self = "encoder.layer." + layer + ".attention.self.";
            for (String part : new String[] {"weight", "bias"}) {
                own.copy(self + "key_proj." + part, self + "pos_key_proj." + part);
                own.copy(self + "query_proj." + part, self + "pos_query_proj." + part);
            }
        }
        assertClose(GraphRun.row(export(own.write()), IDS), expected);
    }

    @Test
    void debertaMayConvolveItsEmbeddings() {
        TinyCheckpoint plain = deberta("plain").set("num_hidden_layers", 1);
        plain.withoutLayer("encoder.layer.1.");
        float[] before = GraphRun.row(export(plain.write()), IDS);
        TinyCheckpoint convolved = plain.renamed(folder("convolved"), name -> name)
                .set("conv_kernel_size", 3)
                .set("conv_act", "tanh")
                .tensor("encoder.conv.conv.weight", WIDTH, WIDTH, 3)
                .tensor("encoder.conv.conv.bias", WIDTH)
                .norm("encoder.conv.LayerNorm", true);
        Path exported = export(convolved.write());
        float[] due = convolve(convolved, before);
        assertClose(GraphRun.row(exported, IDS), due);
        float[] padded = GraphRun.row(exported, 2, 5, 9, 14, 3, -1);
        assertClose(Arrays.copyOf(padded, due.length), due);
    }

    /** norm(before + tanh(convolution of the embeddings)), from the definition. */
    private static float[] convolve(TinyCheckpoint model, float[] before) {
        float[] words = model.values("embeddings.word_embeddings.weight");
        float[] embedded = new float[before.length];
        for (int t = 0; t < IDS.length; t++) {
            float[] word = Arrays.copyOfRange(words, IDS[t] * WIDTH, (IDS[t] + 1) * WIDTH);
            System.arraycopy(norm(model, "embeddings.LayerNorm", word), 0, embedded, t * WIDTH, WIDTH);
        }
        float[] kernel = model.values("encoder.conv.conv.weight"); // (out, in, 3)
        float[] bias = model.values("encoder.conv.conv.bias");
        float[] result = new float[before.length];
        for (int t = 0; t < IDS.length; t++) {
            float[] sum = new float[WIDTH];
            for (int out = 0; out < WIDTH; out++) {
                double value = bias[out];
                for (int k = Math.max(0, 1 - t); k < 3 && t + k - 1 < IDS.length; k++) {
                    for (int in = 0; in < WIDTH; in++) {
                        value += kernel[(out * WIDTH + in) * 3 + k] * embedded[(t + k - 1) * WIDTH + in];
                    }
                }
                sum[out] = (float) (before[t * WIDTH + out] + Math.tanh(value));
            }
            System.arraycopy(norm(model, "encoder.conv.LayerNorm", sum), 0, result, t * WIDTH, WIDTH);
        }
        return result;
    }

    private static float[] norm(TinyCheckpoint model, String name, float[] x) {
        double mean = 0;
        for (float value : x) {
            mean += value / x.length;
        }
        double variance = 0;
        for (float value : x) {
            variance += (value - mean) * (value - mean) / x.length;
        }
        float[] y = new float[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = (float) ((x[i] - mean) / Math.sqrt(variance + 1e-7) * model.values(name + ".weight")[i]
                    + model.values(name + ".bias")[i]);
        }
        return y;
    }
}
