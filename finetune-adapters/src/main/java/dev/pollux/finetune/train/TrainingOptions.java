package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a model is trained. Names in parentheses are those of Hugging Face's trainers. <em>Immutable.</em> */
public final class TrainingOptions {

    /** The defaults of the builder. */
    public static final TrainingOptions DEFAULTS = builder().build();

    private final double epochs;
    private final long maxSteps;
    private final int batchSize;
    private final int accumulation;
    private final double learningRate;
    private final Optimizer optimizer;
    private final LearningRateSchedule schedule;
    private final double warmUp;
    private final double maxGradientNorm;
    private final double loraPlusRatio;
    private final int maxLength;
    private final boolean packing;
    private final Targets trainedTokens;
    private final boolean shuffle;
    private final long seed;
    private final int evaluateEvery;
    private final int saveEvery;
    private final int patience;
    private final int logEvery;
    private final int threads;
    private final long weightMemory;
    private final boolean recompute;

    /** The tokens of a row that are trained in supervised fine-tuning. */
    public enum Targets {
        /** The completion if a row has a prompt, else every token. */
        AUTOMATIC,
        /** Every token. */
        ALL,
        /** The completion after the prompt; for a conversation, its last turn. */
        COMPLETION,
        /** Every turn of the assistant in a conversation. */
        ASSISTANT
    }

    private TrainingOptions(Builder b) {
        this.epochs = b.epochs;
        this.maxSteps = b.maxSteps;
        this.batchSize = b.batchSize;
        this.accumulation = b.accumulation;
        this.learningRate = b.learningRate;
        this.optimizer = b.optimizer;
        this.schedule = b.schedule;
        this.warmUp = b.warmUp;
        this.maxGradientNorm = b.maxGradientNorm;
        this.loraPlusRatio = b.loraPlusRatio;
        this.maxLength = b.maxLength;
        this.packing = b.packing;
        this.trainedTokens = b.trainedTokens;
        this.shuffle = b.shuffle;
        this.seed = b.seed;
        this.evaluateEvery = b.evaluateEvery;
        this.saveEvery = b.saveEvery;
        this.patience = b.patience;
        this.logEvery = b.logEvery;
        this.threads = b.threads;
        this.weightMemory = b.weightMemory;
        this.recompute = b.recompute;
        check();
    }

    private void check() {
        require(epochs > 0 && Double.isFinite(epochs), "epochs", "above 0 and finite", epochs);
        require(maxSteps >= 0, "maxSteps", "at least 0", maxSteps);
        require(batchSize >= 1, "batchSize", "at least 1", batchSize);
        require(accumulation >= 1, "accumulation", "at least 1", accumulation);
        require(learningRate > 0 && Double.isFinite(learningRate), "learningRate", "above 0 and finite", learningRate);
        require(warmUp >= 0, "warmUp", "at least 0", warmUp);
        require(maxGradientNorm >= 0, "maxGradientNorm", "at least 0", maxGradientNorm);
        require(loraPlusRatio > 0, "loraPlusRatio", "above 0", loraPlusRatio);
        require(maxLength >= 2, "maxLength", "at least 2", maxLength);
        require(evaluateEvery >= 0, "evaluateEvery", "at least 0", evaluateEvery);
        require(saveEvery >= 0, "saveEvery", "at least 0", saveEvery);
        require(patience >= 0, "patience", "at least 0", patience);
        require(logEvery >= 1, "logEvery", "at least 1", logEvery);
        require(threads >= 1, "threads", "at least 1", threads);
        require(weightMemory >= 0, "weightMemory", "at least 0", weightMemory);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.epochs = epochs;
        b.maxSteps = maxSteps;
        b.batchSize = batchSize;
        b.accumulation = accumulation;
        b.learningRate = learningRate;
        b.optimizer = optimizer;
        b.schedule = schedule;
        b.warmUp = warmUp;
        b.maxGradientNorm = maxGradientNorm;
        b.loraPlusRatio = loraPlusRatio;
        b.maxLength = maxLength;
        b.packing = packing;
        b.trainedTokens = trainedTokens;
        b.shuffle = shuffle;
        b.seed = seed;
        b.evaluateEvery = evaluateEvery;
        b.saveEvery = saveEvery;
        b.patience = patience;
        b.logEvery = logEvery;
        b.threads = threads;
        b.weightMemory = weightMemory;
        b.recompute = recompute;
        return b;
    }

    /** How often all rows are read, above 0 ({@code num_train_epochs}); default 1. */
    public double epochs() {
        return epochs;
    }

    /** The largest number of steps ({@code max_steps}); default 0 for no limit. */
    public long maxSteps() {
        return maxSteps;
    }

    /** Rows that are processed together, at least 1 ({@code per_device_train_batch_size}); default 8. */
    public int batchSize() {
        return batchSize;
    }

    /** Batches of a step, at least 1 ({@code gradient_accumulation_steps}); default 1. */
    public int accumulation() {
        return accumulation;
    }

    /** The base rate, above 0 ({@code learning_rate}); default 2e-4, as is usual for LoRA. */
    public double learningRate() {
        return learningRate;
    }

    /** The optimizer; default AdamW without weight decay. */
    public Optimizer optimizer() {
        return optimizer;
    }

    /** The schedule of the rate; default linear. */
    public LearningRateSchedule schedule() {
        return schedule;
    }

    /** Steps of the warm-up, or their share if below 1 ({@code warmup_steps}); default 0. */
    public double warmUp() {
        return warmUp;
    }

    /** Gradients of a larger norm are scaled down ({@code max_grad_norm}); default 1, 0 for no limit. */
    public double maxGradientNorm() {
        return maxGradientNorm;
    }

    /**
     * The factor of the rate of the second factors and of magnitudes (LoRA+, Hayou et al., arXiv:2402.12354), above 0;
     * default 1. The paper uses 16.
     */
    public double loraPlusRatio() {
        return loraPlusRatio;
    }

    /**
     * The largest number of tokens of a row, at least 2; longer ones are cut at the end ({@code max_length}); default 1024.
     */
    public int maxLength() {
        return maxLength;
    }

    /**
     * Whether short rows share a batch of {@link #maxLength()} tokens, of which each sees only its own; default false.
     */
    public boolean packing() {
        return packing;
    }

    /** The tokens that are trained in supervised fine-tuning; default {@link Targets#AUTOMATIC}. */
    public Targets trainedTokens() {
        return trainedTokens;
    }

    /** Whether rows are read in a new random order in each epoch; default true. */
    public boolean shuffle() {
        return shuffle;
    }

    /** The seed of the first values, the order of rows and dropout; default 42. */
    public long seed() {
        return seed;
    }

    /** Steps between evaluations; default 0 for one before the first step and one after the last. */
    public int evaluateEvery() {
        return evaluateEvery;
    }

    /** Steps between checkpoints, from which a run that was ended continues; default 0 for none. */
    public int saveEvery() {
        return saveEvery;
    }

    /** Evaluations without improvement after which training ends early; default 0 for never. */
    public int patience() {
        return patience;
    }

    /** Steps between reports, at least 1 ({@code logging_steps}); default 1. */
    public int logEvery() {
        return logEvery;
    }

    /** Threads of the runtime, at least 1; default one for each processor. Results of other numbers
     * differ in the last bits. */
    public int threads() {
        return threads;
    }

    /** Bytes of weights that stay in memory as 32-bit floats; others are read again in each pass; default 1 GiB. */
    public long weightMemory() {
        return weightMemory;
    }

    /** Whether inputs of attention are computed again in the backward pass to save memory; default false. */
    public boolean recompute() {
        return recompute;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TrainingOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "TrainingOptions[epochs=" + epochs + ", maxSteps=" + maxSteps + ", batchSize=" + batchSize
                + ", accumulation=" + accumulation + ", learningRate=" + learningRate + ", optimizer=" + optimizer
                + ", schedule=" + schedule + ", warmUp=" + warmUp + ", maxGradientNorm=" + maxGradientNorm
                + ", loraPlusRatio=" + loraPlusRatio + ", maxLength=" + maxLength + ", packing=" + packing
                + ", trainedTokens=" + trainedTokens + ", shuffle=" + shuffle + ", seed=" + seed + ", evaluateEvery="
                + evaluateEvery + ", saveEvery=" + saveEvery + ", patience=" + patience + ", logEvery=" + logEvery
                + ", threads=" + threads + ", weightMemory=" + weightMemory + ", recompute=" + recompute + "]";
    }

    private List<Object> values() {
        return List.of(
                epochs,
                maxSteps,
                batchSize,
                accumulation,
                learningRate,
                optimizer,
                schedule,
                warmUp,
                maxGradientNorm,
                loraPlusRatio,
                maxLength,
                packing,
                trainedTokens,
                shuffle,
                seed,
                evaluateEvery,
                saveEvery,
                patience,
                logEvery,
                threads,
                weightMemory,
                recompute);
    }

    /** Builds {@link TrainingOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private double epochs = 1;
        private long maxSteps = 0;
        private int batchSize = 8;
        private int accumulation = 1;
        private double learningRate = 2e-4;
        private Optimizer optimizer = Optimizer.adamW();
        private LearningRateSchedule schedule = LearningRateSchedule.linear();
        private double warmUp = 0;
        private double maxGradientNorm = 1;
        private double loraPlusRatio = 1;
        private int maxLength = 1024;
        private boolean packing = false;
        private Targets trainedTokens = Targets.AUTOMATIC;
        private boolean shuffle = true;
        private long seed = 42;
        private int evaluateEvery = 0;
        private int saveEvery = 0;
        private int patience = 0;
        private int logEvery = 1;
        private int threads = Runtime.getRuntime().availableProcessors();
        private long weightMemory = 1L << 30;
        private boolean recompute = false;

        private Builder() {}

        /** See {@link TrainingOptions#epochs()}. */
        public Builder epochs(double epochs) {
            this.epochs = epochs;
            return this;
        }

        /** See {@link TrainingOptions#maxSteps()}. */
        public Builder maxSteps(long maxSteps) {
            this.maxSteps = maxSteps;
            return this;
        }

        /** See {@link TrainingOptions#batchSize()}. */
        public Builder batchSize(int batchSize) {
            this.batchSize = batchSize;
            return this;
        }

        /** See {@link TrainingOptions#accumulation()}. */
        public Builder accumulation(int accumulation) {
            this.accumulation = accumulation;
            return this;
        }

        /** See {@link TrainingOptions#learningRate()}. */
        public Builder learningRate(double learningRate) {
            this.learningRate = learningRate;
            return this;
        }

        /** See {@link TrainingOptions#optimizer()}. */
        public Builder optimizer(Optimizer optimizer) {
            this.optimizer = optimizer;
            return this;
        }

        /** See {@link TrainingOptions#schedule()}. */
        public Builder schedule(LearningRateSchedule schedule) {
            this.schedule = schedule;
            return this;
        }

        /** See {@link TrainingOptions#warmUp()}. */
        public Builder warmUp(double warmUp) {
            this.warmUp = warmUp;
            return this;
        }

        /** See {@link TrainingOptions#maxGradientNorm()}. */
        public Builder maxGradientNorm(double maxGradientNorm) {
            this.maxGradientNorm = maxGradientNorm;
            return this;
        }

        /** See {@link TrainingOptions#loraPlusRatio()}. */
        public Builder loraPlusRatio(double loraPlusRatio) {
            this.loraPlusRatio = loraPlusRatio;
            return this;
        }

        /** See {@link TrainingOptions#maxLength()}. */
        public Builder maxLength(int maxLength) {
            this.maxLength = maxLength;
            return this;
        }

        /** See {@link TrainingOptions#packing()}. */
        public Builder packing(boolean packing) {
            this.packing = packing;
            return this;
        }

        /** See {@link TrainingOptions#trainedTokens()}. */
        public Builder trainedTokens(Targets trainedTokens) {
            this.trainedTokens = trainedTokens;
            return this;
        }

        /** See {@link TrainingOptions#shuffle()}. */
        public Builder shuffle(boolean shuffle) {
            this.shuffle = shuffle;
            return this;
        }

        /** See {@link TrainingOptions#seed()}. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** See {@link TrainingOptions#evaluateEvery()}. */
        public Builder evaluateEvery(int evaluateEvery) {
            this.evaluateEvery = evaluateEvery;
            return this;
        }

        /** See {@link TrainingOptions#saveEvery()}. */
        public Builder saveEvery(int saveEvery) {
            this.saveEvery = saveEvery;
            return this;
        }

        /** See {@link TrainingOptions#patience()}. */
        public Builder patience(int patience) {
            this.patience = patience;
            return this;
        }

        /** See {@link TrainingOptions#logEvery()}. */
        public Builder logEvery(int logEvery) {
            this.logEvery = logEvery;
            return this;
        }

        /** See {@link TrainingOptions#threads()}. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** See {@link TrainingOptions#weightMemory()}. */
        public Builder weightMemory(long weightMemory) {
            this.weightMemory = weightMemory;
            return this;
        }

        /** See {@link TrainingOptions#recompute()}. */
        public Builder recompute(boolean recompute) {
            this.recompute = recompute;
            return this;
        }

        /** Returns the options after checking every range. */
        public TrainingOptions build() {
            return new TrainingOptions(this);
        }
    }
}
