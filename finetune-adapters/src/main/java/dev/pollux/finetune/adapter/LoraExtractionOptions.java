package dev.pollux.finetune.adapter;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/** Options of {@link LoraExtraction}. <em>Immutable.</em> */
public final class LoraExtractionOptions {

    /** The defaults of the builder. */
    public static final LoraExtractionOptions DEFAULTS = builder().build();

    private static final int MOST = 1 << 16;

    /** The treatment of embeddings and the head. */
    public enum Embeddings {
        /** Stored unchanged from the fine-tuned model: exact, but large. */
        WHOLE,
        /** Factored like other matrices. */
        LORA
    }

    private final int rank;
    private final double epsilon;
    private final double keptEnergy;
    private final List<String> include;
    private final List<String> exclude;
    private final Embeddings embeddings;
    private final boolean wholeOthers;
    private final boolean distributeScale;
    private final OptionalDouble alpha;
    private final int threads;
    private final long memory;

    LoraExtractionOptions(
            int rank,
            double epsilon,
            double keptEnergy,
            List<String> include,
            List<String> exclude,
            Embeddings embeddings,
            boolean wholeOthers,
            boolean distributeScale,
            OptionalDouble alpha,
            int threads,
            long memory) {
        this.rank = rank;
        this.epsilon = epsilon;
        this.keptEnergy = keptEnergy;
        this.include = List.copyOf(include);
        this.exclude = List.copyOf(exclude);
        this.embeddings = embeddings;
        this.wholeOthers = wholeOthers;
        this.distributeScale = distributeScale;
        this.alpha = alpha;
        this.threads = threads;
        this.memory = memory;
        if (rank < 1 || rank > MOST) {
            throw new IllegalArgumentException("rank must be in [1, " + MOST + "] but was " + rank);
        }
        if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon must be a number of at least 0 but was " + epsilon);
        }
        if (!(keptEnergy > 0 && keptEnergy <= 1)) {
            throw new IllegalArgumentException("keptEnergy must be in (0, 1] but was " + keptEnergy);
        }
        if (alpha.isPresent() && !(alpha.getAsDouble() > 0 && alpha.getAsDouble() < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("alpha must be above 0 but was " + alpha.getAsDouble());
        }
        if (threads < 1 || threads > 256) {
            throw new IllegalArgumentException("threads must be in [1, 256] but was " + threads);
        }
        if (memory < 16L << 20) {
            throw new IllegalArgumentException("memory must be at least " + (16L << 20) + " bytes but was " + memory);
        }
        include.forEach(LoraExtractionOptions::check);
        exclude.forEach(LoraExtractionOptions::check);
    }

    private static void check(String expression) {
        try {
            Pattern.compile(expression);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "'" + expression + "' is not a regular expression: " + e.getDescription(), e);
        }
    }

    /** Whether a module of this name is included. */
    boolean wants(String module) {
        return (include.isEmpty() || found(include, module).isPresent())
                && found(exclude, module).isEmpty();
    }

    private static Optional<String> found(List<String> expressions, String module) {
        return expressions.stream()
                .filter(expression ->
                        Pattern.compile(expression).matcher(module).find())
                .findFirst();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Maximum number of singular values of a matrix, in [1, 65536]; default 128, as in mergekit. */
    public int rank() {
        return rank;
    }

    /** Singular values ≤ this are dropped; ≥ 0; default 0, which drops none. */
    public double epsilon() {
        return epsilon;
    }

    /**
     * Keeps the smallest k with Σ<sub>i≤k</sub> σ<sub>i</sub>² ≥ keptEnergy · Σ σ<sub>i</sub>²; in (0, 1]; default 1. With σ =
     * (3, 1) and 0.9, k = 1, as 9 ≥ 0.9·10; with 0.95, k = 2.
     */
    public double keptEnergy() {
        return keptEnergy;
    }

    /** Regular expressions; a module is included if one of them occurs in its name; default all modules. */
    public List<String> include() {
        return include;
    }

    /** Regular expressions; a module is excluded if one of them occurs in its name; default none. */
    public List<String> exclude() {
        return exclude;
    }

    /** The treatment of embeddings and the head; default {@link Embeddings#WHOLE}. */
    public Embeddings embeddings() {
        return embeddings;
    }

    /**
     * Whether tensors that cannot be factored, such as norms, are stored whole; otherwise their changes are lost; default true.
     */
    public boolean wholeOthers() {
        return wholeOthers;
    }

    /** Whether both factors are scaled by √σ; otherwise A is scaled by σ, and the columns of B have length 1; default true. */
    public boolean distributeScale() {
        return distributeScale;
    }

    /** PEFT's {@code lora_alpha}, &gt; 0; the factors are scaled accordingly; default the rank, so the scale is 1. */
    public OptionalDouble alpha() {
        return alpha;
    }

    /** Threads that factor matrices, in [1, 256]; default the number of processors. */
    public int threads() {
        return threads;
    }

    /**
     * Bytes for the matrices that are factored concurrently, ≥ 16 MiB; default 1 GiB. A single larger matrix is still factored.
     */
    public long memory() {
        return memory;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof LoraExtractionOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "LoraExtractionOptions[rank=" + rank + ", epsilon=" + epsilon + ", keptEnergy=" + keptEnergy
                + ", include=" + include + ", exclude=" + exclude + ", embeddings=" + embeddings + ", wholeOthers="
                + wholeOthers + ", distributeScale=" + distributeScale + ", alpha=" + alpha + ", threads=" + threads
                + ", memory=" + memory + "]";
    }

    private List<Object> values() {
        return List.of(
                rank,
                epsilon,
                keptEnergy,
                include,
                exclude,
                embeddings,
                wholeOthers,
                distributeScale,
                alpha,
                threads,
                memory);
    }

    /** Builds {@link LoraExtractionOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int rank = 128;
        private double epsilon;
        private double keptEnergy = 1;
        private List<String> include = List.of();
        private List<String> exclude = List.of();
        private Embeddings embeddings = Embeddings.WHOLE;
        private boolean wholeOthers = true;
        private boolean distributeScale = true;
        private OptionalDouble alpha = OptionalDouble.empty();
        private int threads = Math.min(256, Runtime.getRuntime().availableProcessors());
        private long memory = 1L << 30;

        private Builder() {}

        /** See {@link LoraExtractionOptions#rank()}. */
        public Builder rank(int rank) {
            this.rank = rank;
            return this;
        }

        /** See {@link LoraExtractionOptions#epsilon()}. */
        public Builder epsilon(double epsilon) {
            this.epsilon = epsilon;
            return this;
        }

        /** See {@link LoraExtractionOptions#keptEnergy()}. */
        public Builder keptEnergy(double keptEnergy) {
            this.keptEnergy = keptEnergy;
            return this;
        }

        /** See {@link LoraExtractionOptions#include()}. */
        public Builder include(List<String> include) {
            this.include = include;
            return this;
        }

        /** See {@link LoraExtractionOptions#exclude()}. */
        public Builder exclude(List<String> exclude) {
            this.exclude = exclude;
            return this;
        }

        /** See {@link LoraExtractionOptions#embeddings()}. */
        public Builder embeddings(Embeddings embeddings) {
            this.embeddings = embeddings;
            return this;
        }

        /** See {@link LoraExtractionOptions#wholeOthers()}. */
        public Builder wholeOthers(boolean wholeOthers) {
            this.wholeOthers = wholeOthers;
            return this;
        }

        /** See {@link LoraExtractionOptions#distributeScale()}. */
        public Builder distributeScale(boolean distributeScale) {
            this.distributeScale = distributeScale;
            return this;
        }

        /** See {@link LoraExtractionOptions#alpha()}. */
        public Builder alpha(double alpha) {
            this.alpha = OptionalDouble.of(alpha);
            return this;
        }

        /** See {@link LoraExtractionOptions#threads()}. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** See {@link LoraExtractionOptions#memory()}. */
        public Builder memory(long memory) {
            this.memory = memory;
            return this;
        }

        /** Returns the options after checking every range. */
        public LoraExtractionOptions build() {
            return new LoraExtractionOptions(
                    rank,
                    epsilon,
                    keptEnergy,
                    include,
                    exclude,
                    embeddings,
                    wholeOthers,
                    distributeScale,
                    alpha,
                    threads,
                    memory);
        }
    }
}
