package dev.pollux.inference.engine;

import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.device.Device;
import dev.pollux.inference.hub.PolluxCache;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a model is opened and run. <em>Immutable.</em>
 *
 * @param threads threads of one step, at least 1; default: the processors the JVM sees
 * @param prefillChunk prompt tokens of one step, in [1, 4096]; default 256 (fastest of 64 to 1024 where measured)
 * @param spinning whether worker threads spin between the operators of a step: 30 % faster at short contexts, at the
 *     price of processor time; default true
 * @param idleSequences finished sequences whose memory is kept for the next stream, in [0, 64]; default 1
 * @param device where operators run; default {@link Device#CPU}
 * @param adapters whether LoRA adapters can be loaded beside the weights; costs about 2 % of speed where none is used;
 *     default false
 * @param export how a checkpoint that is not exported yet becomes a graph; default {@link ExportOptions#DEFAULTS}
 * @param cache where exported checkpoints are kept; default {@link PolluxCache#directory()}
 */
public record EngineOptions(
        int threads,
        int prefillChunk,
        boolean spinning,
        int idleSequences,
        Device device,
        boolean adapters,
        ExportOptions export,
        @Nullable Path cache) {

    /** The defaults of the builder. */
    public static final EngineOptions DEFAULTS = builder().build();

    public EngineOptions {
        require(threads >= 1 && threads <= 1024, "threads", "in [1, 1024]", threads);
        require(prefillChunk >= 1 && prefillChunk <= 4096, "prefillChunk", "in [1, 4096]", prefillChunk);
        require(idleSequences >= 0 && idleSequences <= 64, "idleSequences", "in [0, 64]", idleSequences);
    }

    /** The folder; looked up when it is asked for, so that a user without a home may have options. */
    @Override
    public Path cache() {
        return cache == null ? PolluxCache.directory() : cache;
    }

    private static void require(boolean holds, String name, String rule, int value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " must be " + rule + " but was " + value);
        }
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds {@link EngineOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private int threads = Runtime.getRuntime().availableProcessors();
        private int prefillChunk = 256;
        private boolean spinning = true;
        private int idleSequences = 1;
        private Device device = Device.CPU;
        private boolean adapters;
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

        /** The options; checks every range. */
        public EngineOptions build() {
            return new EngineOptions(threads, prefillChunk, spinning, idleSequences, device, adapters, export, cache);
        }
    }
}
