package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.job.JobContext;
import dev.pollux.retrieval.Reranker;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scores of pairs, long texts, and models that give no scores. */
@NoLeaks
class OnnxRerankerTest {

    /** Of single precision. */
    private static final float ROUNDING = 1e-6f;

    @TempDir
    private Path temp;

    private TinyCheckpoint crossEncoder(int labels) {
        return TinyCheckpoint.bert(temp.resolve("model"), "BertForSequenceClassification", "bert.")
                .linear("bert.pooler.dense", TinyCheckpoint.WIDTH, TinyCheckpoint.WIDTH, true)
                .linear("classifier", labels, TinyCheckpoint.WIDTH, true)
                .tokenizer();
    }

    private RerankerOptions.Builder options() {
        return RerankerOptions.builder().cache(temp.resolve("cache")).workers(2);
    }

    /** The logit of a pair, from the exported graph itself; b begins at {@code second}. */
    private float logit(TinyCheckpoint checkpoint, int second, int... ids) {
        Path graph =
                EncoderExport.cached(checkpoint.folder(), EncoderWeights.FLOAT, temp.resolve("cache"), JobContext.NONE);
        int[] types = new int[ids.length];
        Arrays.fill(types, second, ids.length, 1);
        return GraphRun.row(graph.resolve(EncoderExport.MODEL_FILE), ids, types)[0];
    }

    private static float logistic(float logit) {
        return (float) (1 / (1 + Math.exp(-logit)));
    }

    private float[] score(TinyCheckpoint checkpoint, RerankerOptions options, String query, String... texts) {
        try (OnnxReranker reranker = OnnxReranker.open(checkpoint.folder(), options)) {
            return reranker.score(query, List.of(texts));
        }
    }

    @Test
    void aScoreIsTheLogisticFunctionOfThePairsLogit() {
        TinyCheckpoint checkpoint = crossEncoder(1).write();
        float first = logit(checkpoint, 4, 2, 4, 5, 3, 6, 7, 8, 3); // [CLS] a b [SEP] c d e [SEP]
        float second = logit(checkpoint, 4, 2, 4, 5, 3, 9, 3);
        assertThat(score(checkpoint, options().build(), "a b", "c d e", "f"))
                .containsExactly(new float[] {logistic(first), logistic(second)}, within(ROUNDING));
        assertThat(score(checkpoint, options().logits(true).build(), "a b", "c d e", "f"))
                .containsExactly(new float[] {first, second}, within(ROUNDING));
        assertThat(score(checkpoint, options().build(), "a b")).isEmpty();
    }

    @Test
    void theFolderMayNameAnotherActivation() {
        TinyCheckpoint checkpoint = crossEncoder(1)
                .json("sentence_transformers", "{'activation_fn':'torch.nn.modules.linear.Identity'}")
                .write();
        float logit = logit(checkpoint, 3, 2, 4, 3, 5, 3);
        assertThat(score(checkpoint, options().build(), "a", "b"))
                .containsExactly(new float[] {logit}, within(ROUNDING));
        checkpoint
                .json("sentence_transformers", "")
                .set("sbert_ce_default_activation_function", "torch.nn.modules.activation.Softmax")
                .write();
        assertThatThrownBy(
                        () -> OnnxReranker.open(checkpoint.folder(), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(checkpoint.folder() + ": activation_fn 'torch.nn.modules.activation.Softmax' is not"
                        + " supported, only [Identity, Tanh, ReLU, LeakyReLU, ELU, Sigmoid, SiLU, Softplus]");
    }

    @Test
    void aTextThatDoesNotFitBesideItsQueryIsRefused() {
        TinyCheckpoint checkpoint = crossEncoder(1).write();
        RerankerOptions options = options().maxTokens(8).build();
        assertThatThrownBy(() -> score(checkpoint, options, "a b", "c", "c d e f", "c d e f g"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Text 1 has 9 tokens with its query but model reads at most 8 (1 more of 3 texts are too"
                        + " long); split it, or open the reranker with LongText.WINDOWED");
        assertThat(score(checkpoint, options, "a b", "c d e")).hasSize(1);
    }

    @Test
    void aLongTextHasTheBestScoreOfItsWindows() {
        TinyCheckpoint checkpoint = crossEncoder(1).write();
        RerankerOptions options = options()
                .maxTokens(8)
                .longText(LongText.WINDOWED)
                .windowOverlap(1)
                .build();
        // Three tokens of text fit: c d e, e f g, g h.
        float[] parts = score(checkpoint, options, "a b", "c d e", "e f g", "g h");
        float best = Math.max(parts[0], Math.max(parts[1], parts[2]));
        assertThat(score(checkpoint, options, "a b", "c d  e f\ng h")).containsExactly(best);
        assertThatThrownBy(() -> score(checkpoint, options, "a b c d", "c d e"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The query must leave more than windowOverlap, 1, of 8 tokens to a text but leaves 1;"
                        + " shorten it, or choose a smaller overlap or a larger maxTokens");
    }

    @Test
    void readyOnnxModelsAreOpenedToo() {
        Path folder = temp.resolve("onnx");
        TinyCheckpoint.of(folder, "").tokenizer();
        // logits = Σ ids + 10 · Σ types
        TinyEncoder.bare(folder).graph("onnx/model.onnx", graph -> {
            graph.input("input_ids", ElementType.INT64, "batch", "tokens");
            graph.input("token_type_ids", ElementType.INT64, "batch", "tokens");
            graph.integers("ten", 10);
            graph.integers("axis", 1);
            TinyEncoder.op(graph, "Mul", "tens", List.of("token_type_ids", "ten"), Map.of());
            TinyEncoder.op(graph, "Add", "sum", List.of("input_ids", "tens"), Map.of());
            TinyEncoder.op(graph, "ReduceSum", "total", List.of("sum", "axis"), Map.of("keepdims", 1));
            TinyEncoder.op(graph, "Cast", "logits", List.of("total"), Map.of("to", 1));
            graph.output("logits", ElementType.FLOAT, "batch", 1);
        });
        RerankerOptions raw = options().logits(true).build();
        try (OnnxReranker reranker = OnnxReranker.open(folder, raw)) {
            assertThat(reranker.score("a", List.of("b c", "b")))
                    .containsExactly(2 + 4 + 3 + 5 + 6 + 3 + 30, 2 + 4 + 3 + 5 + 3 + 20);
            // The types of a longer pair do not stay for a shorter one.
            assertThat(reranker.score("a b c d", List.of(""))).containsExactly(2 + 4 + 5 + 6 + 7 + 3 + 3 + 10);
        }
    }

    @Test
    void modelsThatGiveNoScoreAreRefused() {
        TinyCheckpoint labels = crossEncoder(3).write();
        assertThatThrownBy(() -> OnnxReranker.open(labels.folder(), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageEndingWith("model.onnx must give one score but gives 3; a model with several labels is not"
                        + " a reranker");
        TinyCheckpoint vectors = TinyCheckpoint.bert(temp.resolve("vectors"), "BertModel", "")
                .tokenizer()
                .write();
        assertThatThrownBy(() -> OnnxReranker.open(vectors.folder(), options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(
                        vectors.folder() + " holds a model that gives vectors, not scores; open it with OnnxEmbedder");
        Path encoder = temp.resolve("encoder");
        TinyCheckpoint.of(encoder, "").tokenizer();
        TinyEncoder.bare(encoder).model("model.onnx");
        assertThatThrownBy(() -> OnnxReranker.open(encoder, options().build()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessage(encoder.resolve("model.onnx")
                        + " must have an output logits, as cross-encoders have, but has none");
        TinyCheckpoint damaged = crossEncoder(1).without("classifier.bias").without("bert.pooler.dense.weight");
        assertThatThrownBy(() ->
                        OnnxReranker.open(damaged.write().folder(), options().build()))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(damaged.folder() + " has no tensor bert.pooler.dense.weight of shape [16, 16]; it is"
                        + " incomplete, download it again");
    }

    @Test
    void aScoreDoesNotDependOnWhatElseIsScored() throws Exception {
        TinyCheckpoint checkpoint = crossEncoder(1).write();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            texts.add("abcdefghijkl".substring(0, 1 + i % 12).replace("", " ").strip());
        }
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (OnnxReranker reranker =
                OnnxReranker.open(checkpoint.folder(), options().build())) {
            float[] alone = new float[texts.size()];
            for (int i = 0; i < alone.length; i++) {
                alone[i] = reranker.score("l k", texts.subList(i, i + 1))[0];
            }
            List<Callable<float[]>> calls = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                calls.add(() -> reranker.score("l k", texts));
            }
            for (Future<float[]> result : threads.invokeAll(calls)) {
                assertThat(result.get()).isEqualTo(alone);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void useAfterCloseIsAnErrorAndAnInterruptEndsACall() {
        TinyCheckpoint checkpoint = crossEncoder(1).write();
        OnnxReranker reranker = OnnxReranker.open(checkpoint.folder(), options().build());
        Reranker scores = reranker;
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> scores.score("a", List.of("b")))
                .isInstanceOf(CancelledException.class)
                .hasMessage("The thread was interrupted before the texts were scored");
        assertThat(Thread.interrupted()).isTrue();
        reranker.close();
        reranker.close();
        assertThatThrownBy(() -> scores.score("a", List.of("b")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The reranker model is closed; open it again");
    }

    @Test
    void optionsBeginWithTheDefaultsAndSayWhatIsOutOfRange() {
        assertThat(RerankerOptions.builder().build()).isEqualTo(RerankerOptions.DEFAULTS);
        assertThat(RerankerOptions.DEFAULTS.longText()).isEqualTo(LongText.REFUSE);
        assertThat(RerankerOptions.DEFAULTS.logits()).isFalse();
        assertThatThrownBy(() -> RerankerOptions.builder().maxTokens(0).build())
                .hasMessage("maxTokens must be at least 1 but was 0");
        assertThatThrownBy(() -> RerankerOptions.builder().windowOverlap(-1).build())
                .hasMessage("windowOverlap must be at least 0 but was -1");
        assertThatThrownBy(() -> RerankerOptions.builder().workers(0).build())
                .hasMessage("workers must be in [1, 1024] but was 0");
        TinyCheckpoint checkpoint = crossEncoder(1).write();
        RerankerOptions tooLong = options().maxTokens(41).build();
        assertThatThrownBy(() -> OnnxReranker.open(checkpoint.folder(), tooLong))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxTokens must be at most 40, the positions of the model model, but was 41");
    }
}
