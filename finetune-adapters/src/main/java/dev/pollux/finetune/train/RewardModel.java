package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.training.Activations;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.finetune.train.TrainingRow.Text;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.job.JobContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Scores what a model wrote: a decoder with an adapter that {@link Objective#reward()} trained, or PEFT as a sequence classifier
 * with one label. The scores are those of transformers' classes, for each text by itself.
 *
 * <pre>{@code
 * try (RewardModel rewards = RewardModel.open(checkpoint, adapter)) {
 *     double[] scores = rewards.score(Prompt.text("The capital of France is"), List.of(" Paris.", " down."));
 *     Objective objective = Objective.grpo(rewards);
 * }
 * }</pre>
 *
 * <p><em>Thread-safe; calls run one at a time.</em>
 */
public final class RewardModel implements RewardFunction, AutoCloseable {

    /** The most tokens of a text, unless the context of the model is longer. */
    private static final int TEXT = 2048;

    private final RowTokenizer tokenizer;
    private final ModelPair model;
    private final int mostTokens;
    private final ReentrantLock lock = new ReentrantLock();
    private boolean closed;

    private RewardModel(RowTokenizer tokenizer, ModelPair model, int mostTokens) {
        this.tokenizer = tokenizer;
        this.model = model;
        this.mostTokens = mostTokens;
    }

    /**
     * Opens a reward model with one thread of the runtime for each processor.
     *
     * @param checkpoint the model that the adapter was trained on; it must stay open
     * @param adapter a folder in PEFT's format
     * @throws MalformedFileException if the adapter has no head of one score, or is one of another model
     */
    public static RewardModel open(Checkpoint checkpoint, Path adapter) {
        return open(checkpoint, adapter, TrainingOptions.DEFAULTS);
    }

    /**
     * Opens a reward model.
     *
     * @param options of which it uses {@link TrainingOptions#threads()} and {@link TrainingOptions#weightMemory()}
     * @throws MalformedFileException if the adapter has no head of one score, or is one of another model
     */
    public static RewardModel open(Checkpoint checkpoint, Path adapter, TrainingOptions options) {
        Trainables trained = load(checkpoint, adapter);
        int most = Math.max(TEXT, checkpoint.config().contextLength());
        ModelPair.Setting setting = new ModelPair.Setting(
                checkpoint.config(),
                checkpoint.settings(),
                checkpoint.tensors(),
                most,
                options.threads(),
                options.weightMemory(),
                Kept.NOTHING);
        RowTokenizer tokenizer = RowTokenizer.of(checkpoint, "the reward model", most);
        try {
            ModelPair model = new ModelPair(setting, trained, Residuals.NONE, Optional.empty());
            return new RewardModel(tokenizer, model, most);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private static Trainables load(Checkpoint checkpoint, Path adapter) {
        try (LoraAdapter stored = LoraAdapter.load(adapter)) {
            Set<String> names = new HashSet<>(checkpoint.tensors().tensors().keySet());
            names.add(Trainables.SCORE);
            Trainables trained = AdapterFile.load(stored, names);
            List<Long> wanted = List.of(1L, (long) checkpoint.config().hiddenSize());
            if (trained.tensors().stream()
                    .noneMatch(one ->
                            one.tensor().equals(Trainables.SCORE) && one.shape().equals(wanted))) {
                throw new MalformedFileException("The adapter " + stored.name() + " must have " + Trainables.SCORE
                        + " of " + wanted + ", the head of a reward model; train one by 'pollux train reward'");
            }
            return trained;
        }
    }

    /**
     * The scores of completions of a prompt; higher is better. A conversation is rendered by the chat template, with the completion
     * as the turn of the assistant; a text gets the model's end token, as in training.
     *
     * @return (completions)
     * @throws IllegalArgumentException if a text has more tokens than the model reads
     */
    public double[] score(Prompt prompt, List<String> completions) {
        List<Sequence> sequences = new ArrayList<>();
        for (String completion : completions) {
            sequences.add(sequence(sequences.size() + 1L, prompt, completion));
        }
        return scores(sequences);
    }

    /** The scores of rollouts; see {@link #score}. */
    @Override
    public double[] rewards(List<Rollout> completions) {
        List<Sequence> sequences = new ArrayList<>();
        for (Rollout one : completions) {
            sequences.add(sequence(one.row(), one.prompt(), one.completion()));
        }
        return scores(sequences);
    }

    private Sequence sequence(long number, Prompt prompt, String completion) {
        Text before;
        Text after;
        if (prompt instanceof Prompt.Chat chat) {
            before = Text.of(chat.messages().stream()
                    .map(message -> turn(message.role(), message.content()))
                    .toList());
            after = Text.of(List.of(turn("assistant", completion)));
        } else {
            before = Text.of(((Prompt.Text) prompt).text());
            after = Text.of(completion);
        }
        TrainingRow row = new TrainingRow(number, before, after, Optional.empty(), Optional.empty());
        lock.lock();
        try {
            requireOpen();
            int[] ids = tokenizer.scored(row, after);
            if (ids.length > mostTokens) {
                throw new IllegalArgumentException("A text to score must have at most " + mostTokens
                        + " tokens but has " + ids.length + "; shorten it");
            }
            return new Sequence(ids, new boolean[ids.length]);
        } finally {
            lock.unlock();
        }
    }

    private static Map<String, Object> turn(String role, String content) {
        Map<String, Object> turn = new LinkedHashMap<>();
        turn.put("role", role);
        turn.put("content", content);
        return turn;
    }

    private double[] scores(List<Sequence> sequences) {
        double[] scores = new double[sequences.size()];
        int at = 0;
        for (List<Sequence> row : DecoderSteps.rows(sequences)) {
            lock.lock();
            try {
                requireOpen();
                TokenBatch batch = TokenBatch.scored(row);
                try (Activations activations = model.forward(batch, OptionalLong.empty(), JobContext.NONE)) {
                    for (float score :
                            model.measures(activations, JobContext.NONE).logProbabilities()) {
                        scores[at++] = score;
                    }
                }
            } finally {
                lock.unlock();
            }
        }
        return scores;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The reward model is closed");
        }
    }

    /** Frees the model; the checkpoint stays open. Idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                model.close();
                tokenizer.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
