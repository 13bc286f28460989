package dev.pollux.finetune.merge;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Options of a merge. Only {@code seed} and {@code likeReference} affect the weights. <em>Immutable.</em> */
public final class MergeOptions {

    /** The extent of the statistics of each tensor's sources. */
    public enum Statistics {
        /** No statistics. */
        NONE,
        /** Every fourth window of large tensors, all of small ones. */
        SAMPLED,
        /** Every element. */
        ALL
    }

    private static final long LEAST_MEMORY = 16L << 20;

    /** The defaults of the builder. */
    public static final MergeOptions DEFAULTS = builder().build();

    private final long seed;
    private final int threads;
    private final long memory;
    private final long shardBytes;
    private final boolean likeReference;
    private final Statistics statistics;
    private final boolean hashInputs;

    MergeOptions(
            long seed,
            int threads,
            long memory,
            long shardBytes,
            boolean likeReference,
            Statistics statistics,
            boolean hashInputs) {
        this.seed = seed;
        this.threads = threads;
        this.memory = memory;
        this.shardBytes = shardBytes;
        this.likeReference = likeReference;
        this.statistics = statistics;
        this.hashInputs = hashInputs;
        if (threads < 1 || threads > 256) {
            throw new IllegalArgumentException("threads must be in [1, 256] but was " + threads);
        }
        if (memory < LEAST_MEMORY) {
            throw new IllegalArgumentException("memory must be at least " + LEAST_MEMORY + " bytes but was " + memory);
        }
        if (shardBytes < 1) {
            throw new IllegalArgumentException("shardBytes must be at least 1 but was " + shardBytes);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns a builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.seed = seed;
        b.threads = threads;
        b.memory = memory;
        b.shardBytes = shardBytes;
        b.likeReference = likeReference;
        b.statistics = statistics;
        b.hashInputs = hashInputs;
        return b;
    }

    /** Seed of the random numbers of DARE and DELLA; default 0. */
    public long seed() {
        return seed;
    }

    /** Threads that merge tensors, in [1, 256]; default the number of processors. */
    public int threads() {
        return threads;
    }

    /** Bytes of working memory, without mapped files; ≥ 16 MiB; default 1 GiB. */
    public long memory() {
        return memory;
    }

    /** Maximum bytes of weights in one file, ≥ 1; default 5·10⁹. A tensor is never split. */
    public long shardBytes() {
        return shardBytes;
    }

    /**
     * Whether to reproduce mergekit including its defects; default false. Example: mergekit's breadcrumbs drop a whole
     * difference if there are no outliers to drop.
     */
    public boolean likeReference() {
        return likeReference;
    }

    /** The extent of the statistics in the report; default {@link Statistics#SAMPLED}. */
    public Statistics statistics() {
        return statistics;
    }

    /**
     * Whether the report contains the SHA-256 of every input file; default true. A replay needs it. The merging threads then
     * read all inputs once more.
     */
    public boolean hashInputs() {
        return hashInputs;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MergeOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "MergeOptions[seed=" + seed + ", threads=" + threads + ", memory=" + memory + ", shardBytes="
                + shardBytes + ", likeReference=" + likeReference + ", statistics=" + statistics + ", hashInputs="
                + hashInputs + "]";
    }

    private List<Object> values() {
        return List.of(seed, threads, memory, shardBytes, likeReference, statistics, hashInputs);
    }

    /** Builds {@link MergeOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private long seed;
        private int threads = Math.min(256, Runtime.getRuntime().availableProcessors());
        private long memory = 1L << 30;
        private long shardBytes = 5_000_000_000L;
        private boolean likeReference;
        private Statistics statistics = Statistics.SAMPLED;
        private boolean hashInputs = true;

        private Builder() {}

        /** See {@link MergeOptions#seed()}. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** See {@link MergeOptions#threads()}. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** See {@link MergeOptions#memory()}. */
        public Builder memory(long memory) {
            this.memory = memory;
            return this;
        }

        /** See {@link MergeOptions#shardBytes()}. */
        public Builder shardBytes(long shardBytes) {
            this.shardBytes = shardBytes;
            return this;
        }

        /** See {@link MergeOptions#likeReference()}. */
        public Builder likeReference(boolean likeReference) {
            this.likeReference = likeReference;
            return this;
        }

        /** See {@link MergeOptions#statistics()}. */
        public Builder statistics(Statistics statistics) {
            this.statistics = statistics;
            return this;
        }

        /** See {@link MergeOptions#hashInputs()}. */
        public Builder hashInputs(boolean hashInputs) {
            this.hashInputs = hashInputs;
            return this;
        }

        /** Returns the options after checking every range. */
        public MergeOptions build() {
            return new MergeOptions(seed, threads, memory, shardBytes, likeReference, statistics, hashInputs);
        }
    }
}
