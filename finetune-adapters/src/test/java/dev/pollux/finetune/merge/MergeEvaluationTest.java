package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.CancelledException;
import dev.pollux.finetune.adapter.LoraExtraction;
import dev.pollux.finetune.adapter.LoraExtractionOptions;
import dev.pollux.inference.calibration.Perplexity;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.job.JobEvent;
import dev.pollux.merging.MergePlan;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sources and result of a merge side by side. */
@NoLeaks
class MergeEvaluationTest {

    private static final String TEXT = "the quick brown fox jumps over the lazy dog and signs the scale";

    @TempDir
    Path temp;

    private EngineOptions engine = EngineOptions.DEFAULTS;

    @BeforeEach
    void write() throws IOException {
        TinyDecoder.llama(1).write(temp.resolve("one"));
        TinyDecoder.llama(2).write(temp.resolve("two"));
        engine = EngineOptions.builder().threads(1).cache(temp.resolve("cache")).build();
    }

    @Test
    void modelsAreComparedByPerplexityAndAnswers() {
        LoraExtraction.in(temp, LoraExtractionOptions.builder().rank(4).build())
                .extract("one", "two", temp.resolve("adapter"))
                .run();
        EvaluationOptions options = EvaluationOptions.builder()
                .prompts(List.of("answer", "sign"))
                .sampleTokens(3)
                .window(8)
                .engine(engine)
                .build();

        MergeEvaluation found = MergeEvaluator.in(temp, options)
                .evaluate(List.of("one", "two", "one+adapter"), TEXT)
                .run();

        assertThat(found.models())
                .extracting(MergeEvaluation.Score::model)
                .containsExactly("one", "two", "one+adapter");
        assertThat(found.samples()).extracting(MergeEvaluation.Sample::prompt).containsExactly("answer", "sign");
        assertThat(found.samples())
                .allSatisfy(sample -> assertThat(sample.answers()).hasSize(3));
        assertThat(found.toMarkdown()).contains("| one+adapter | ");
    }

    @Test
    void aTextOfOneWindowHasThePerplexityOfTheEngine() {
        EvaluationOptions options =
                EvaluationOptions.builder().prompts(List.of()).engine(engine).build();
        MergeEvaluation found =
                MergeEvaluator.in(temp, options).evaluate(List.of("one"), TEXT).run();

        try (OnnxGenerator generator = OnnxGenerator.open(temp.resolve("one"), engine);
                Tokenizer tokenizer = Tokenizer.open(temp.resolve("one").resolve("tokenizer.json"))) {
            Perplexity due = Perplexity.of(generator.model(), tokenizer.encode(TEXT, true), JobContext.NONE);
            MergeEvaluation.Score score = found.models().get(0);
            assertThat(score.perplexity()).isCloseTo(due.value(), within(1e-9));
            assertThat(score.tokens()).isEqualTo(due.tokens());
            assertThat(score.bitsPerByte())
                    .isCloseTo(due.meanNll() * due.tokens() / Math.log(2) / TEXT.length(), within(0.5));
        }
    }

    @Test
    void theSourcesOfAPlanAreItsBaseAndItsModelsEachOnce() {
        MergePlan plan = MergekitYaml.parse("""
            name: stage
            models: [{model: a, parameters: {weight: 1}}, {model: b+x, parameters: {weight: 1}}]
            merge_method: linear
            ---
            models: [{model: stage, parameters: {weight: 1}}, {model: a, parameters: {weight: 1}}]
            base_model: base
            merge_method: task_arithmetic
            """);
        assertThat(MergeEvaluator.sources(plan)).containsExactly("base", "a", "b+x");
    }

    @Test
    void markdownHoldsAnswersInTheirCells() {
        MergeEvaluation evaluation = new MergeEvaluation(
                List.of(new MergeEvaluation.Score("m", Math.log(8), 10, 1.5, Duration.ZERO)),
                List.of(new MergeEvaluation.Sample("p?", List.of("a | b\n\nc"))));
        assertThat(evaluation.toMarkdown()).isEqualTo("""
            | model | perplexity | bits per byte | tokens |
            |---|---|---|---|
            | m | 8.000 | 1.5000 | 10 |

            **p?**

            | model | answer |
            |---|---|
            | m | a \\| b c |
            """);
    }

    /** An adapter is merged and the result exported first; both are parts of the evaluation, and stop with it. */
    @Test
    void whatComesFirstReportsAsTheEvaluationAndStopsWithIt() {
        LoraExtraction.in(temp, LoraExtractionOptions.builder().rank(4).build())
                .extract("one", "two", temp.resolve("adapter"))
                .run();
        MergeEvaluator evaluator = MergeEvaluator.in(
                temp, EvaluationOptions.builder().engine(engine).build());
        Set<String> stages = new LinkedHashSet<>();
        evaluator
                .evaluate(List.of("one+adapter"), TEXT)
                .onEvent(event -> {
                    assertThat(event.job()).isEqualTo("evaluate");
                    if (event instanceof JobEvent.Progress progress) {
                        stages.add(progress.stage());
                    }
                })
                .run();
        assertThat(stages).contains("merge", "layers").endsWith("evaluate one+adapter");

        Job<MergeEvaluation> job = evaluator.evaluate(List.of("one+adapter"), TEXT);
        Set<String> reached = new LinkedHashSet<>();
        job.onEvent(event -> {
            if (event instanceof JobEvent.Progress progress) {
                reached.add(progress.stage());
                job.cancel();
            }
        });
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(reached).doesNotContain("layers", "evaluate one+adapter");
    }

    @Test
    void anEvaluationCanBeCancelled() {
        Job<MergeEvaluation> job = MergeEvaluator.in(
                        temp, EvaluationOptions.builder().engine(engine).build())
                .evaluate(List.of("one", "two"), TEXT);
        job.onEvent(event -> job.cancel());
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
    }

    @Test
    void theBuilderHasTheDefaults() {
        assertThat(EvaluationOptions.builder().build()).isEqualTo(EvaluationOptions.DEFAULTS);
        assertThatThrownBy(() -> EvaluationOptions.builder().window(1).build())
                .hasMessage("window must be in [2, 65536] but was 1");
    }
}
