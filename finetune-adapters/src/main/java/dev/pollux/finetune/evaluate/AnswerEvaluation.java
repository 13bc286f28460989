package dev.pollux.finetune.evaluate;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.finetune.evaluate.AnswerReport.ScoredAnswer;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Prompt;
import dev.pollux.internal.Interrupts;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * Measures the answers of a model to questions about passages.
 *
 * <p>The model reads the prompt of a twin with the passage of the question and writes greedily. Citations such as [1] are left
 * out before an answer is compared. <em>Immutable; jobs may run at the same time.</em>
 */
public final class AnswerEvaluation {

    /** The default of the most tokens of an answer. */
    public static final int MAX_TOKENS = 48;

    private static final Pattern CITATION = Pattern.compile("\\s*\\[\\^?\\d[\\d,; -]*]");

    private final Generator generator;
    private final int maxTokens;
    private final int parallel;
    private final Consumer<ScoredAnswer> listener;

    private AnswerEvaluation(Generator generator, int maxTokens, int parallel, Consumer<ScoredAnswer> listener) {
        this.generator = generator;
        this.maxTokens = maxTokens;
        this.parallel = parallel;
        this.listener = listener;
    }

    /** Measures a model, which the caller continues to own. */
    public static AnswerEvaluation of(Generator generator) {
        return new AnswerEvaluation(generator, MAX_TOKENS, 1, answer -> {});
    }

    /** The same with another limit of the tokens of an answer, at least 1; default {@link #MAX_TOKENS}. */
    public AnswerEvaluation withMaxTokens(int most) {
        require(most >= 1, "maxTokens", "at least 1", most);
        return new AnswerEvaluation(generator, most, parallel, listener);
    }

    /** The same with several questions at a time, at least 1; default 1. The answers do not depend on it. */
    public AnswerEvaluation inParallel(int questions) {
        require(questions >= 1, "parallel", "at least 1", questions);
        return new AnswerEvaluation(generator, maxTokens, questions, listener);
    }

    /** The same, which hands on each answer as soon as those before it are there, on the thread of the job. */
    public AnswerEvaluation onAnswer(Consumer<ScoredAnswer> newListener) {
        return new AnswerEvaluation(generator, maxTokens, parallel, newListener);
    }

    /** A run that has not been started; its progress counts questions. */
    public Job<AnswerReport> measure(ReadingQuestions questions) {
        return Job.of("evaluate", context -> {
            ExecutorService workers = Executors.newFixedThreadPool(parallel, runnable -> {
                Thread thread = new Thread(runnable, "pollux-evaluate");
                thread.setDaemon(true);
                return thread;
            });
            Set<GenerationStream> open = ConcurrentHashMap.newKeySet();
            try {
                return context.cancellable(
                        () -> open.forEach(GenerationStream::cancel),
                        () -> measure(
                                questions.rows(), row -> workers.submit(() -> answer(row, open, context)), context));
            } finally {
                workers.shutdownNow();
            }
        });
    }

    private AnswerReport measure(
            List<ReadingQuestion> rows, Function<ReadingQuestion, Future<String>> asking, JobContext context) {
        List<Future<String>> pending = rows.stream().map(asking).toList();
        List<ScoredAnswer> answers = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            ScoredAnswer scored = scored(rows.get(i), taken(pending.get(i)));
            answers.add(scored);
            listener.accept(scored);
            context.progress("evaluate", i + 1, rows.size(), "questions");
        }
        return AnswerReport.of(answers);
    }

    private static String taken(Future<String> pending) {
        try {
            return pending.get();
        } catch (InterruptedException e) {
            throw Interrupts.cancelled(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private String answer(ReadingQuestion row, Set<GenerationStream> open, JobContext context) {
        boolean chat = generator.info().chat();
        Prompt prompt = chat ? Prompt.chat(row.messages()) : Prompt.literal(row.text());
        GenerationOptions.Builder options = GenerationOptions.builder().maxTokens(maxTokens);
        if (!chat) {
            options.stop("\n");
        }
        context.checkCancelled();
        try (GenerationStream stream = generator.stream(prompt, options.build())) {
            open.add(stream);
            try {
                context.checkCancelled(); // a cancellation before the stream was added did not end it
                Generation done = stream.result();
                context.checkCancelled();
                return done.text().strip();
            } finally {
                open.remove(stream);
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "Question " + row.id() + " cannot be asked: " + e.getMessage() + "; shorten or remove the row", e);
        }
    }

    private static ScoredAnswer scored(ReadingQuestion row, String answer) {
        String plain = CITATION.matcher(answer).replaceAll("").strip();
        boolean refused = Refusal.is(plain);
        AnswerScore score = refused || !row.isAnswerable() ? AnswerScore.NONE : AnswerScore.of(plain, row.answers());
        return new ScoredAnswer(row, answer, score, refused);
    }
}
