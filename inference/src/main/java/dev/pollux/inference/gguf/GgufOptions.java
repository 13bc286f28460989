package dev.pollux.inference.gguf;

import dev.pollux.internal.Wildcard;
import dev.pollux.tensor.BlockEncoder;
import dev.pollux.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** How a GGUF file is written. <em>Immutable.</em> */
public final class GgufOptions {

    private static final int MOST_THREADS = 256;

    /** The defaults of the builder. */
    public static final GgufOptions DEFAULTS = builder().build();

    /**
     * The type of the tensors that match a pattern. <em>Immutable.</em>
     *
     * @param pattern matches the whole name of a tensor in GGUF; {@code *} stands for any characters. {@code *.ffn_down.*} matches
     *     {@code blk.0.ffn_down.weight} but not {@code blk.0.ffn_up.weight}
     * @param type one of {@link BlockEncoder#types}; rows that are no multiple of its block fall back to another type
     */
    public record Rule(String pattern, DType type) {

        public Rule {
            if (pattern.isBlank()) {
                throw new IllegalArgumentException("pattern must not be blank; use * to match every tensor");
            }
            if (!BlockEncoder.types().contains(type)) {
                throw new IllegalArgumentException("type of rule '" + pattern + "' must be one of "
                        + BlockEncoder.types().stream().sorted().toList() + " but was " + type);
            }
        }

        /** Whether the pattern matches the whole of {@code name}. */
        public boolean matches(String name) {
            return Wildcard.matches(pattern, name);
        }
    }

    private final GgufType type;
    private final List<Rule> rules;
    private final int threads;

    private GgufOptions(Builder b) {
        this.type = b.type;
        this.rules = List.copyOf(b.rules);
        this.threads = b.threads;
        if (threads < 1 || threads > MOST_THREADS) {
            throw new IllegalArgumentException("threads must be in [1, " + MOST_THREADS + "] but was " + threads);
        }
    }

    /** The type of most weights; default {@link GgufType#Q8_0}. */
    public GgufType type() {
        return type;
    }

    /** Types of single tensors; the first rule that matches applies. Default none. */
    public List<Rule> rules() {
        return rules;
    }

    /** Number of threads that encode, in [1, 256]; default the number of processors. The bytes do not depend on it. */
    public int threads() {
        return threads;
    }

    @Override
    public String toString() {
        return "GgufOptions[type=" + type.text() + ", rules=" + rules + ", threads=" + threads + "]";
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds {@link GgufOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {

        private GgufType type = GgufType.Q8_0;
        private final List<Rule> rules = new ArrayList<>();
        private int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());

        private Builder() {}

        /** See {@link GgufOptions#type()}. */
        public Builder type(GgufType value) {
            type = value;
            return this;
        }

        /** Adds a rule; see {@link GgufOptions#rules()}. */
        public Builder rule(Rule value) {
            rules.add(value);
            return this;
        }

        /** See {@link GgufOptions#threads()}. */
        public Builder threads(int value) {
            threads = value;
            return this;
        }

        /** Builds the options and checks every value. */
        public GgufOptions build() {
            return new GgufOptions(this);
        }
    }
}
