package dev.pollux.inference.engine;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.hub.PolluxCache;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The options for opening and running a model. <em>Immutable.</em> */
public final class EngineOptions {

    /** The defaults of the builder. */
    public static final EngineOptions DEFAULTS = builder().build();

    private final Builder set; // a copy that never changes

    private EngineOptions(Builder set) {
        this.set = set;
        require(set.threads >= 1 && set.threads <= 1024, "threads", "in [1, 1024]", set.threads);
        require(set.prefillChunk >= 1 && set.prefillChunk <= 4096, "prefillChunk", "in [1, 4096]", set.prefillChunk);
        require(set.idleSequences >= 0 && set.idleSequences <= 64, "idleSequences", "in [0, 64]", set.idleSequences);
        require(set.sequences >= 1 && set.sequences <= 64, "sequences", "in [1, 64]", set.sequences);
        require(set.queue >= 0, "queue", "at least 0", set.queue);
        long bytes = set.maxBytes.orElse(1);
        require(bytes >= 1, "maxBytes", "at least 1", bytes);
        long prefixes = set.prefixBytes.orElse(0);
        require(prefixes >= 0, "prefixBytes", "at least 0", prefixes);
    }

    /**
     * The folder for exported checkpoints; default {@link PolluxCache#directory()}. The default is resolved on access, so that
     * options can be built on a machine without a home directory.
     */
    public Path cache() {
        return set.cache == null ? PolluxCache.directory() : set.cache;
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        return set.copy();
    }

    /** Threads of one step, at least 1; default: the number of processors that the JVM sees. */
    public int threads() {
        return set.threads;
    }

    /** Prompt tokens of one step, in [1, 4096]; default 256 (the fastest of 64 to 1024 in measurements). */
    public int prefillChunk() {
        return set.prefillChunk;
    }

    /**
     * Whether worker threads spin between the operators of a step, which is 30 % faster at short contexts but takes more
     * processor time; default true.
     */
    public boolean spinning() {
        return set.spinning;
    }

    /**
     * The number of requests that run at a time and share steps, in [1, 64]; default 1: each request runs steps of its own, at once.
     * Several requests that write together take little longer for a token than one; each keeps its own sampling, and its output
     * does not depend on the others. Further requests wait ({@link #queue()}). A reader that neither reads nor closes its stream keeps its
     * place. Graphs that cannot batch let the requests take turns.
     */
    public int sequences() {
        return set.sequences;
    }

    /**
     * The number of requests that may wait for a place, at least 0; default 1024. A further one is refused with {@link
     * dev.pollux.OverloadedException}. Without effect if {@link #sequences()} is 1.
     */
    public int queue() {
        return set.queue;
    }

    /**
     * The maximum number of bytes of the caches of requests that run; absent by default: no limit. A request needs the bytes of
     * its prompt and of the most tokens of its answer. It waits until they are free, as for {@link #sequences()}, and is
     * refused at once with an {@link IllegalArgumentException} if they exceed the limit.
     */
    public OptionalLong maxBytes() {
        return set.maxBytes;
    }

    /** What happens to a prompt that does not fit the context; default {@link ContextOverflow#REFUSE}. */
    public ContextOverflow overflow() {
        return set.overflow;
    }

    /** Number of finished sequences whose memory is kept for the next stream, in [0, 64]; default 1. */
    public int idleSequences() {
        return set.idleSequences;
    }

    /**
     * The maximum number of bytes of native memory for the keys and values of earlier texts' beginnings, which later requests with
     * the same beginning need not compute; 0 keeps none. Absent by default: an eighth of the size of the graph's files, but at
     * least 64 MB.
     */
    public OptionalLong prefixBytes() {
        return set.prefixBytes;
    }

    /** The device that runs the operators; default {@link Device#CPU}. */
    public Device device() {
        return set.device;
    }

    /** Whether LoRA adapters can be loaded; costs about 2 % of speed if none is used; default false. */
    public boolean adapters() {
        return set.adapters;
    }

    /**
     * Whether tokens are drafted by look-up in the prompt and the output, and verified several in one step; default: if {@link
     * #sequences()} is 1 or there is a {@link #draft() draft model}, because requests with drafts share no steps. Text that
     * repeats its prompt, such as an answer from passages, is written faster. The output has the same distribution, and with float
     * weights the same tokens; weights of 4 and 8 bits round differently in steps of one and of several tokens, which can decide
     * between two tokens whose logits are nearly equal. A request has the same drafts each time it runs.
     */
    public boolean drafting() {
        return set.drafting.orElse(set.sequences == 1 || set.draft.isPresent());
    }

    /**
     * A smaller model with the same tokenizer that drafts tokens, in addition to look-up; a path as for {@link
     * OnnxGenerator#openJob(Path, EngineOptions)}; absent by default. It pays for models of some billion weights, if it has less than a tenth
     * of their size and often writes the same tokens. How many tokens are drafted depends on how many were right, and on the
     * time of the steps of both models, which is measured once when they are first opened. Nothing is drafted while that does not pay.
     *
     * <p>The output has the same distribution. With temperature 0 or a seed, and float weights, it has the same tokens as without drafts. Costs the memory of the
     * model and of its caches. A model with another tokenizer is refused with an {@link
     * dev.pollux.UnsupportedModelException}. Used by {@link OnnxGenerator} only, and without effect if {@link #drafting()} is false.
     */
    public Optional<Path> draft() {
        return set.draft;
    }

    /** The options of a model that drafts for one with these options. */
    EngineOptions ofDraft() {
        Builder own = set.copy();
        own.draft = Optional.empty();
        own.drafting = Optional.of(false);
        own.sequences = 1;
        own.maxBytes = OptionalLong.empty();
        own.adapters = false;
        return own.build();
    }

    /** How a checkpoint is exported to a graph; default {@link ExportOptions#DEFAULTS}. */
    public ExportOptions export() {
        return set.export;
    }

    /** Whether the other object has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof EngineOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "EngineOptions" + values();
    }

    private Map<String, @Nullable Object> values() {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        values.put("threads", set.threads);
        values.put("prefillChunk", set.prefillChunk);
        values.put("spinning", set.spinning);
        values.put("idleSequences", set.idleSequences);
        values.put("sequences", set.sequences);
        values.put("queue", set.queue);
        values.put("maxBytes", set.maxBytes);
        values.put("overflow", set.overflow);
        values.put("prefixBytes", set.prefixBytes);
        values.put("device", set.device);
        values.put("adapters", set.adapters);
        values.put("drafting", drafting());
        values.put("draft", set.draft);
        values.put("export", set.export);
        values.put("cache", set.cache);
        return values;
    }

    /** Builds {@link EngineOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int threads = Runtime.getRuntime().availableProcessors();
        private int prefillChunk = 256;
        private boolean spinning = true;
        private int idleSequences = 1;
        private int sequences = 1;
        private int queue = 1024;
        private OptionalLong maxBytes = OptionalLong.empty();
        private ContextOverflow overflow = ContextOverflow.REFUSE;
        private OptionalLong prefixBytes = OptionalLong.empty();
        private Device device = Device.CPU;
        private boolean adapters;
        private Optional<Boolean> drafting = Optional.empty();
        private Optional<Path> draft = Optional.empty();
        private ExportOptions export = ExportOptions.DEFAULTS;
        private @Nullable Path cache;

        private Builder() {}

        /** See {@link EngineOptions#threads()}. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** See {@link EngineOptions#prefillChunk()}. */
        public Builder prefillChunk(int prefillChunk) {
            this.prefillChunk = prefillChunk;
            return this;
        }

        /** See {@link EngineOptions#spinning()}. */
        public Builder spinning(boolean spinning) {
            this.spinning = spinning;
            return this;
        }

        /** See {@link EngineOptions#idleSequences()}. */
        public Builder idleSequences(int idleSequences) {
            this.idleSequences = idleSequences;
            return this;
        }

        /** See {@link EngineOptions#sequences()}. */
        public Builder sequences(int sequences) {
            this.sequences = sequences;
            return this;
        }

        /** See {@link EngineOptions#queue()}. */
        public Builder queue(int queue) {
            this.queue = queue;
            return this;
        }

        /** See {@link EngineOptions#maxBytes()}. */
        public Builder maxBytes(long maxBytes) {
            this.maxBytes = OptionalLong.of(maxBytes);
            return this;
        }

        /** See {@link EngineOptions#overflow()}. */
        public Builder overflow(ContextOverflow overflow) {
            this.overflow = overflow;
            return this;
        }

        /** See {@link EngineOptions#prefixBytes()}. */
        public Builder prefixBytes(long prefixBytes) {
            this.prefixBytes = OptionalLong.of(prefixBytes);
            return this;
        }

        /** See {@link EngineOptions#device()}. */
        public Builder device(Device device) {
            this.device = device;
            return this;
        }

        /** See {@link EngineOptions#adapters()}. */
        public Builder adapters(boolean adapters) {
            this.adapters = adapters;
            return this;
        }

        /** See {@link EngineOptions#drafting()}. */
        public Builder drafting(boolean drafting) {
            this.drafting = Optional.of(drafting);
            return this;
        }

        /** See {@link EngineOptions#draft()}. */
        public Builder draft(Path draft) {
            this.draft = Optional.of(draft);
            return this;
        }

        /** See {@link EngineOptions#export()}. */
        public Builder export(ExportOptions export) {
            this.export = export;
            return this;
        }

        /** See {@link EngineOptions#cache()}. */
        public Builder cache(Path cache) {
            this.cache = cache;
            return this;
        }

        /** Builds the options and validates every range. */
        public EngineOptions build() {
            return new EngineOptions(copy());
        }

        private Builder copy() {
            Builder copy = new Builder();
            copy.threads = threads;
            copy.prefillChunk = prefillChunk;
            copy.spinning = spinning;
            copy.idleSequences = idleSequences;
            copy.sequences = sequences;
            copy.queue = queue;
            copy.maxBytes = maxBytes;
            copy.overflow = overflow;
            copy.prefixBytes = prefixBytes;
            copy.device = device;
            copy.adapters = adapters;
            copy.drafting = drafting;
            copy.draft = draft;
            copy.export = export;
            copy.cache = cache;
            return copy;
        }
    }
}
