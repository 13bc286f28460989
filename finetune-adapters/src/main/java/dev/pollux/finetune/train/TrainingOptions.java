package dev.pollux.finetune.train;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a model is trained. Names in parentheses are those of Hugging Face's trainers. <em>Immutable.</em> */
public final class TrainingOptions {

    /** The defaults of the builder. */
    public static final TrainingOptions DEFAULTS = builder().build();

    private final Builder given; // its own copy

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
        this.given = b.copy();
        double rate = given.learningRate;
        require(given.epochs > 0 && Double.isFinite(given.epochs), "epochs", "above 0 and finite", given.epochs);
        require(given.maxSteps >= 0, "maxSteps", "at least 0", given.maxSteps);
        require(given.batchSize >= 1, "batchSize", "at least 1", given.batchSize);
        require(given.accumulation >= 1, "accumulation", "at least 1", given.accumulation);
        require(rate > 0 && Double.isFinite(rate), "learningRate", "above 0 and finite", rate);
        require(given.warmUp >= 0, "warmUp", "at least 0", given.warmUp);
        require(given.maxGradientNorm >= 0, "maxGradientNorm", "at least 0", given.maxGradientNorm);
        require(given.loraPlusRatio > 0, "loraPlusRatio", "above 0", given.loraPlusRatio);
        require(given.maxLength >= 2, "maxLength", "at least 2", given.maxLength);
        require(given.evaluateEvery >= 0, "evaluateEvery", "at least 0", given.evaluateEvery);
        require(given.saveEvery >= 0, "saveEvery", "at least 0", given.saveEvery);
        require(given.patience >= 0, "patience", "at least 0", given.patience);
        require(given.logEvery >= 1, "logEvery", "at least 1", given.logEvery);
        require(given.threads >= 1, "threads", "at least 1", given.threads);
        require(given.weightMemory >= 0, "weightMemory", "at least 0", given.weightMemory);
        require(given.activationMemory >= 0, "activationMemory", "at least 0", given.activationMemory);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        return given.copy();
    }

    /** How often all rows are read, above 0 ({@code num_train_epochs}); default 1. */
    public double epochs() {
        return given.epochs;
    }

    /** The largest number of steps ({@code max_steps}); default 0 for no limit. */
    public long maxSteps() {
        return given.maxSteps;
    }

    /** Rows that are processed together, at least 1 ({@code per_device_train_batch_size}); default 8. */
    public int batchSize() {
        return given.batchSize;
    }

    /** Batches of a step, at least 1 ({@code gradient_accumulation_steps}); default 1. */
    public int accumulation() {
        return given.accumulation;
    }

    /** The base rate, above 0 ({@code learning_rate}); default 2e-4, as is usual for LoRA. */
    public double learningRate() {
        return given.learningRate;
    }

    /** The optimizer; default AdamW without weight decay. */
    public Optimizer optimizer() {
        return given.optimizer;
    }

    /** The schedule of the rate; default linear. */
    public LearningRateSchedule schedule() {
        return given.schedule;
    }

    /** Steps of the warm-up, or their share if below 1 ({@code warmup_steps}); default 0. */
    public double warmUp() {
        return given.warmUp;
    }

    /** Gradients of a larger norm are scaled down ({@code max_grad_norm}); default 1, 0 for no limit. */
    public double maxGradientNorm() {
        return given.maxGradientNorm;
    }

    /** The factor of the rate of second factors and of magnitudes (LoRA+, arXiv:2402.12354; 16 there), above 0; default 1. */
    public double loraPlusRatio() {
        return given.loraPlusRatio;
    }

    /** The largest number of tokens of a row, at least 2; longer ones are cut at the end ({@code max_length}); default 1024. */
    public int maxLength() {
        return given.maxLength;
    }

    /** How short rows share a row of {@link #maxLength()} tokens; default {@link Packing#NONE}. */
    public Packing packing() {
        return given.packing;
    }

    /** The tokens that are trained in supervised fine-tuning; default {@link Targets#AUTOMATIC}. */
    public Targets trainedTokens() {
        return given.trainedTokens;
    }

    /** Whether rows are read in a new random order in each epoch; default true. */
    public boolean shuffle() {
        return given.shuffle;
    }

    /** The seed of the first values, the order of rows and dropout; default 42. */
    public long seed() {
        return given.seed;
    }

    /** Steps between evaluations; default 0 for one before the first step and one after the last. */
    public int evaluateEvery() {
        return given.evaluateEvery;
    }

    /** Steps between checkpoints, from which a run that was ended continues; default 0 for none. */
    public int saveEvery() {
        return given.saveEvery;
    }

    /** Evaluations without improvement after which training ends early; default 0 for never. */
    public int patience() {
        return given.patience;
    }

    /**
     * Whether the result is the adapter of the evaluation with the best loss ({@code load_best_model_at_end}), by
     * {@link #evaluateEvery()} or after the last step, and not always the last one; default true.
     */
    public boolean keepBest() {
        return given.keepBest;
    }

    /** Steps between reports, at least 1 ({@code logging_steps}); default 1. */
    public int logEvery() {
        return given.logEvery;
    }

    /** Threads of the runtime, at least 1; default one for each processor. Others may give other last bits. */
    public int threads() {
        return given.threads;
    }

    /** Bytes of weights that stay in memory as 32-bit floats; others are read again in each pass; default 1 GiB. */
    public long weightMemory() {
        return given.weightMemory;
    }

    /** Bytes for results of products for the backward pass, else computed again, as is attention with 0; default 256 MiB. */
    public long activationMemory() {
        return given.activationMemory;
    }

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
        return "TrainingOptions" + values();
    }

    /** The options in order; a list, since each is named once. */
    private List<Map.Entry<String, Object>> values() {
        return List.of(
                Map.entry("epochs", given.epochs),
                Map.entry("maxSteps", given.maxSteps),
                Map.entry("batchSize", given.batchSize),
                Map.entry("accumulation", given.accumulation),
                Map.entry("learningRate", given.learningRate),
                Map.entry("optimizer", given.optimizer),
                Map.entry("schedule", given.schedule),
                Map.entry("warmUp", given.warmUp),
                Map.entry("maxGradientNorm", given.maxGradientNorm),
                Map.entry("loraPlusRatio", given.loraPlusRatio),
                Map.entry("maxLength", given.maxLength),
                Map.entry("packing", given.packing),
                Map.entry("trainedTokens", given.trainedTokens),
                Map.entry("shuffle", given.shuffle),
                Map.entry("seed", given.seed),
                Map.entry("evaluateEvery", given.evaluateEvery),
                Map.entry("saveEvery", given.saveEvery),
                Map.entry("patience", given.patience),
                Map.entry("keepBest", given.keepBest),
                Map.entry("logEvery", given.logEvery),
                Map.entry("threads", given.threads),
                Map.entry("weightMemory", given.weightMemory),
                Map.entry("activationMemory", given.activationMemory));
    }

    /** Builds {@link TrainingOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder implements Cloneable {
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
        private Packing packing = Packing.NONE;
        private Targets trainedTokens = Targets.AUTOMATIC;
        private boolean shuffle = true;
        private long seed = 42;
        private int evaluateEvery = 0;
        private int saveEvery = 0;
        private int patience = 0;
        private boolean keepBest = true;
        private int logEvery = 1;
        private int threads = Runtime.getRuntime().availableProcessors();
        private long weightMemory = 1L << 30;
        private long activationMemory = 256L << 20;

        private Builder() {}

        private Builder copy() {
            try {
                return (Builder) super.clone();
            } catch (CloneNotSupportedException e) {
                throw new AssertionError(e);
            }
        }

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
        public Builder packing(Packing packing) {
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

        /** See {@link TrainingOptions#keepBest()}. */
        public Builder keepBest(boolean keepBest) {
            this.keepBest = keepBest;
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

        /** See {@link TrainingOptions#activationMemory()}. */
        public Builder activationMemory(long activationMemory) {
            this.activationMemory = activationMemory;
            return this;
        }

        /** Returns the options after checking every range. */
        public TrainingOptions build() {
            return new TrainingOptions(this);
        }
    }
}
