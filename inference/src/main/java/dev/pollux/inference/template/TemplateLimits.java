package dev.pollux.inference.template;

import static dev.pollux.internal.OptionRange.require;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a template may use up before it is stopped by a {@link TemplateException}; templates come with model files, which
 * are not to be trusted. The defaults leave the largest published templates a hundredfold. <em>Immutable.</em>
 */
public final class TemplateLimits {

    /** The limits used where none are given. */
    public static final TemplateLimits DEFAULTS = builder().build();

    private final int maxSourceLength;
    private final int maxDepth;
    private final long maxSteps;
    private final long maxAllocation;
    private final int maxOutput;

    TemplateLimits(int maxSourceLength, int maxDepth, long maxSteps, long maxAllocation, int maxOutput) {
        this.maxSourceLength = maxSourceLength;
        this.maxDepth = maxDepth;
        this.maxSteps = maxSteps;
        this.maxAllocation = maxAllocation;
        this.maxOutput = maxOutput;
        require(maxSourceLength >= 1, "maxSourceLength", "at least 1", maxSourceLength);
        require(maxDepth >= 10 && maxDepth <= 2000, "maxDepth", "in [10, 2000]", maxDepth);
        require(maxSteps >= 1, "maxSteps", "at least 1", maxSteps);
        require(maxAllocation >= 1, "maxAllocation", "at least 1", maxAllocation);
        require(maxOutput >= 1, "maxOutput", "at least 1", maxOutput);
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Longest source, in UTF-16 units, at least 1; default 1,048,576. */
    public int maxSourceLength() {
        return maxSourceLength;
    }

    /**
     * Deepest nesting of a template, of its macro calls and of values, in [10, 2000]; default 500, which fits a
     * thread with half a megabyte of stack.
     */
    public int maxDepth() {
        return maxDepth;
    }

    /**
     * Most evaluations, iterations and units of scanning in one rendering, at least 1; default 5,000,000, about a
     * second.
     */
    public long maxSteps() {
        return maxSteps;
    }

    /** Most characters and elements created by the operations of one rendering, at least 1; default 33,554,432. */
    public long maxAllocation() {
        return maxAllocation;
    }

    /** Longest text rendered, in UTF-16 units, at least 1; default 16,777,216. */
    public int maxOutput() {
        return maxOutput;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TemplateLimits that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "TemplateLimits[maxSourceLength=" + maxSourceLength + ", maxDepth=" + maxDepth + ", maxSteps=" + maxSteps
                + ", maxAllocation=" + maxAllocation + ", maxOutput=" + maxOutput + "]";
    }

    private List<Object> values() {
        return List.of(maxSourceLength, maxDepth, maxSteps, maxAllocation, maxOutput);
    }

    /** Builds {@link TemplateLimits}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {

        private int maxSourceLength = 1 << 20;
        private int maxDepth = 500;
        private long maxSteps = 5_000_000;
        private long maxAllocation = 1 << 25;
        private int maxOutput = 1 << 24;

        private Builder() {}

        /** Longest source, in UTF-16 units. */
        public Builder maxSourceLength(int value) {
            maxSourceLength = value;
            return this;
        }

        /** Deepest nesting of a template, of its macro calls and of values. */
        public Builder maxDepth(int value) {
            maxDepth = value;
            return this;
        }

        /** Most evaluations, iterations and units of scanning in one rendering. */
        public Builder maxSteps(long value) {
            maxSteps = value;
            return this;
        }

        /** Most characters and elements created by the operations of one rendering. */
        public Builder maxAllocation(long value) {
            maxAllocation = value;
            return this;
        }

        /** Longest text rendered, in UTF-16 units. */
        public Builder maxOutput(int value) {
            maxOutput = value;
            return this;
        }

        /** The limits; bad values are refused here. */
        public TemplateLimits build() {
            return new TemplateLimits(maxSourceLength, maxDepth, maxSteps, maxAllocation, maxOutput);
        }
    }
}
