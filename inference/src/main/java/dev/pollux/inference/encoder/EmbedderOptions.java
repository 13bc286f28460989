package dev.pollux.inference.encoder;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.inference.device.Device;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.inference.hub.PolluxCache;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** How an encoder is opened and run. An absent option takes its value from the model's folder. <em>Immutable.</em> */
public final class EmbedderOptions {

    /** Everything from the model's folder; long texts are refused. */
    public static final EmbedderOptions DEFAULTS = builder().build();

    private final Optional<String> file;
    private final Optional<String> output;
    private final List<Pooling> pooling;
    private final Optional<String> queryPrefix;
    private final Optional<String> passagePrefix;
    private final boolean normalize;
    private final OptionalInt maxTokens;
    private final LongText longText;
    private final int windowOverlap;
    private final int workers;
    private final OptionalInt dimension;
    private final Device device;
    private final EncoderWeights weights;
    private final @Nullable Path cache;

    EmbedderOptions(
            Optional<String> file,
            Optional<String> output,
            List<Pooling> pooling,
            Optional<String> queryPrefix,
            Optional<String> passagePrefix,
            boolean normalize,
            OptionalInt maxTokens,
            LongText longText,
            int windowOverlap,
            int workers,
            OptionalInt dimension,
            Device device,
            EncoderWeights weights,
            @Nullable Path cache) {
        this.file = file;
        this.output = output;
        this.pooling = List.copyOf(pooling);
        this.queryPrefix = queryPrefix;
        this.passagePrefix = passagePrefix;
        this.normalize = normalize;
        this.maxTokens = maxTokens;
        this.longText = longText;
        this.windowOverlap = windowOverlap;
        this.workers = workers;
        this.dimension = dimension;
        this.device = device;
        this.weights = weights;
        this.cache = cache;
        require(pooling.stream().distinct().count() == pooling.size(), "pooling", "free of repetitions", pooling);
        require(maxTokens.orElse(1) >= 1, "maxTokens", "at least 1", maxTokens.orElse(1));
        require(windowOverlap >= 0, "windowOverlap", "at least 0", windowOverlap);
        require(workers >= 1 && workers <= 1024, "workers", "in [1, 1024]", workers);
        require(dimension.orElse(1) >= 1, "dimension", "at least 1", dimension.orElse(1));
    }

    /**
     * The folder for graphs exported from checkpoints; default {@link PolluxCache#directory()}. The default is resolved by
     * this method, not when options are built, so options can be built without a home folder.
     */
    public Path cache() {
        return cache == null ? PolluxCache.directory() : cache;
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The model file, relative to the folder; absent: {@code model.onnx}, {@code onnx/model.onnx}, then the names of
     * quantized exports, then the only {@code .onnx} file there is.
     */
    public Optional<String> file() {
        return file;
    }

    /**
     * The graph output to read; absent: {@code sentence_embedding}, {@code last_hidden_state}, {@code token_embeddings},
     * then the first with a vector for each token, then the first with a vector for each text.
     */
    public Optional<String> output() {
        return output;
    }

    /**
     * The poolings whose results are concatenated; empty: those of {@code 1_Pooling/config.json}, else the mean.
     */
    public List<Pooling> pooling() {
        return pooling;
    }

    /** A prefix for every query; absent: from {@code config_sentence_transformers.json}, else none. */
    public Optional<String> queryPrefix() {
        return queryPrefix;
    }

    /** A prefix for every passage; absent: from {@code config_sentence_transformers.json}, else none. */
    public Optional<String> passagePrefix() {
        return passagePrefix;
    }

    /**
     * Whether vectors are normalized to L2 length 1, as {@link dev.pollux.embedding.Embedder} requires; false returns the
     * output of the model's modules unchanged; default true.
     */
    public boolean normalize() {
        return normalize;
    }

    /**
     * The maximum number of tokens of a text, special tokens and prefix included, at least 1 and at most the positions of
     * the model; absent: {@code max_seq_length} of the folder, else {@code model_max_length} of its tokenizer, each bounded
     * by the positions of the model; 512 if the folder has neither.
     */
    public OptionalInt maxTokens() {
        return maxTokens;
    }

    /** How longer texts are handled; default {@link LongText#REFUSE}. */
    public LongText longText() {
        return longText;
    }

    /** Tokens that neighbouring windows share, at least 0 and less than a window; default 32. */
    public int windowOverlap() {
        return windowOverlap;
    }

    /**
     * The number of texts embedded in parallel, each on one thread, in [1, 1024]; default: the processors available to the
     * JVM.
     */
    public int workers() {
        return workers;
    }

    /**
     * The length to which vectors are truncated before they are normalized, at least 1. It is meant for models with
     * Matryoshka representations (Kusupati et al., arXiv:2205.13147). If the folder lists lengths, it must be one of them.
     * Absent: {@code truncate_dim} of the folder, else all components.
     */
    public OptionalInt dimension() {
        return dimension;
    }

    /** Where operators run; default {@link Device#CPU}. */
    public Device device() {
        return device;
    }

    /** How the matrices of a checkpoint are stored in the exported graph; default {@link EncoderWeights#FLOAT}. */
    public EncoderWeights weights() {
        return weights;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof EmbedderOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "EmbedderOptions[file=" + file + ", output=" + output + ", pooling=" + pooling + ", queryPrefix="
                + queryPrefix + ", passagePrefix=" + passagePrefix + ", normalize=" + normalize + ", maxTokens="
                + maxTokens + ", longText=" + longText + ", windowOverlap=" + windowOverlap + ", workers=" + workers
                + ", dimension=" + dimension + ", device=" + device + ", weights=" + weights + ", cache=" + cache + "]";
    }

    private List<@Nullable Object> values() {
        return Arrays.asList(
                file,
                output,
                pooling,
                queryPrefix,
                passagePrefix,
                normalize,
                maxTokens,
                longText,
                windowOverlap,
                workers,
                dimension,
                device,
                weights,
                cache);
    }

    /** Builds {@link EmbedderOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<String> file = Optional.empty();
        private Optional<String> output = Optional.empty();
        private List<Pooling> pooling = List.of();
        private Optional<String> queryPrefix = Optional.empty();
        private Optional<String> passagePrefix = Optional.empty();
        private boolean normalize = true;
        private OptionalInt maxTokens = OptionalInt.empty();
        private LongText longText = LongText.REFUSE;
        private int windowOverlap = 32;
        private int workers = Runtime.getRuntime().availableProcessors();
        private OptionalInt dimension = OptionalInt.empty();
        private Device device = Device.CPU;
        private EncoderWeights weights = EncoderWeights.FLOAT;
        private @Nullable Path cache;

        private Builder() {}

        /** See {@link EmbedderOptions#file()}. */
        public Builder file(String file) {
            this.file = Optional.of(file);
            return this;
        }

        /** See {@link EmbedderOptions#output()}. */
        public Builder output(String output) {
            this.output = Optional.of(output);
            return this;
        }

        /** See {@link EmbedderOptions#pooling()}. */
        public Builder pooling(Pooling... pooling) {
            this.pooling = List.of(pooling);
            return this;
        }

        /** See {@link EmbedderOptions#queryPrefix()}. */
        public Builder queryPrefix(String queryPrefix) {
            this.queryPrefix = Optional.of(queryPrefix);
            return this;
        }

        /** See {@link EmbedderOptions#passagePrefix()}. */
        public Builder passagePrefix(String passagePrefix) {
            this.passagePrefix = Optional.of(passagePrefix);
            return this;
        }

        /** See {@link EmbedderOptions#normalize()}. */
        public Builder normalize(boolean normalize) {
            this.normalize = normalize;
            return this;
        }

        /** See {@link EmbedderOptions#maxTokens()}. */
        public Builder maxTokens(int maxTokens) {
            this.maxTokens = OptionalInt.of(maxTokens);
            return this;
        }

        /** See {@link EmbedderOptions#longText()}. */
        public Builder longText(LongText longText) {
            this.longText = longText;
            return this;
        }

        /** See {@link EmbedderOptions#windowOverlap()}. */
        public Builder windowOverlap(int windowOverlap) {
            this.windowOverlap = windowOverlap;
            return this;
        }

        /** See {@link EmbedderOptions#workers()}. */
        public Builder workers(int workers) {
            this.workers = workers;
            return this;
        }

        /** See {@link EmbedderOptions#dimension()}. */
        public Builder dimension(int dimension) {
            this.dimension = OptionalInt.of(dimension);
            return this;
        }

        /** See {@link EmbedderOptions#device()}. */
        public Builder device(Device device) {
            this.device = device;
            return this;
        }

        /** See {@link EmbedderOptions#weights()}. */
        public Builder weights(EncoderWeights weights) {
            this.weights = weights;
            return this;
        }

        /** See {@link EmbedderOptions#cache()}. */
        public Builder cache(Path cache) {
            this.cache = cache;
            return this;
        }

        /** The options; checks every range. */
        public EmbedderOptions build() {
            return new EmbedderOptions(
                    file,
                    output,
                    pooling,
                    queryPrefix,
                    passagePrefix,
                    normalize,
                    maxTokens,
                    longText,
                    windowOverlap,
                    workers,
                    dimension,
                    device,
                    weights,
                    cache);
        }
    }
}
