package dev.pollux.inference.engine;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.hub.PolluxCache;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The options for opening and running a model. <em>Immutable.</em> */
public final class EngineOptions {

    /** The defaults of the builder. */
    public static final EngineOptions DEFAULTS = builder().build();

    private final int threads;
    private final int prefillChunk;
    private final boolean spinning;
    private final int idleSequences;
    private final Device device;
    private final boolean adapters;
    private final boolean drafting;
    private final ExportOptions export;
    private final @Nullable Path cache;

    EngineOptions(
            int threads,
            int prefillChunk,
            boolean spinning,
            int idleSequences,
            Device device,
            boolean adapters,
            boolean drafting,
            ExportOptions export,
            @Nullable Path cache) {
        this.threads = threads;
        this.prefillChunk = prefillChunk;
        this.spinning = spinning;
        this.idleSequences = idleSequences;
        this.device = device;
        this.adapters = adapters;
        this.drafting = drafting;
        this.export = export;
        this.cache = cache;
        require(threads >= 1 && threads <= 1024, "threads", "in [1, 1024]", threads);
        require(prefillChunk >= 1 && prefillChunk <= 4096, "prefillChunk", "in [1, 4096]", prefillChunk);
        require(idleSequences >= 0 && idleSequences <= 64, "idleSequences", "in [0, 64]", idleSequences);
    }

    /**
     * The folder for exported checkpoints; default {@link PolluxCache#directory()}. The default is resolved on access, so that
     * options can be built on a machine without a home directory.
     */
    public Path cache() {
        return cache == null ? PolluxCache.directory() : cache;
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        Builder b = new Builder();
        b.threads = threads;
        b.prefillChunk = prefillChunk;
        b.spinning = spinning;
        b.idleSequences = idleSequences;
        b.device = device;
        b.adapters = adapters;
        b.drafting = drafting;
        b.export = export;
        b.cache = cache;
        return b;
    }

    /** Threads of one step, at least 1; default: the number of processors that the JVM sees. */
    public int threads() {
        return threads;
    }

    /** Prompt tokens of one step, in [1, 4096]; default 256 (the fastest of 64 to 1024 in measurements). */
    public int prefillChunk() {
        return prefillChunk;
    }

    /**
     * Whether worker threads spin between the operators of a step, which is 30 % faster at short contexts but takes more
     * processor time; default true.
     */
    public boolean spinning() {
        return spinning;
    }

    /** Number of finished sequences whose memory is kept for the next stream, in [0, 64]; default 1. */
    public int idleSequences() {
        return idleSequences;
    }

    /** The device that runs the operators; default {@link Device#CPU}. */
    public Device device() {
        return device;
    }

    /** Whether LoRA adapters can be loaded; costs about 2 % of speed if none is used; default false. */
    public boolean adapters() {
        return adapters;
    }

    /**
     * Whether tokens are drafted by look-up in the prompt and the output, and verified several in one step; default true. Text that
     * repeats its prompt, such as an answer from passages, is written faster. The output has the same distribution, and with float
     * weights the same tokens; weights of 4 and 8 bits round differently in steps of one and of several tokens, which can decide
     * between two tokens whose logits are nearly equal. A request has the same drafts each time it runs.
     */
    public boolean drafting() {
        return drafting;
    }

    /** How a checkpoint is exported to a graph; default {@link ExportOptions#DEFAULTS}. */
    public ExportOptions export() {
        return export;
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
        return "EngineOptions[threads=" + threads + ", prefillChunk=" + prefillChunk + ", spinning=" + spinning
                + ", idleSequences=" + idleSequences + ", device=" + device + ", adapters=" + adapters + ", drafting="
                + drafting + ", export=" + export + ", cache=" + cache + "]";
    }

    private List<@Nullable Object> values() {
        return Arrays.asList(threads, prefillChunk, spinning, idleSequences, device, adapters, drafting, export, cache);
    }

    /** Builds {@link EngineOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int threads = Runtime.getRuntime().availableProcessors();
        private int prefillChunk = 256;
        private boolean spinning = true;
        private int idleSequences = 1;
        private Device device = Device.CPU;
        private boolean adapters;
        private boolean drafting = true;
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
            this.drafting = drafting;
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
            return new EngineOptions(
                    threads, prefillChunk, spinning, idleSequences, device, adapters, drafting, export, cache);
        }
    }
}
