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

/** How a cross-encoder is opened and run. An absent option takes its value from the model's folder. <em>Immutable.</em> */
public final class RerankerOptions {

    /** Everything from the model's folder; long texts are refused. */
    public static final RerankerOptions DEFAULTS = builder().build();

    private final Optional<String> file;
    private final boolean logits;
    private final OptionalInt maxTokens;
    private final LongText longText;
    private final int windowOverlap;
    private final int workers;
    private final Device device;
    private final EncoderWeights weights;
    private final @Nullable Path cache;

    RerankerOptions(
            Optional<String> file,
            boolean logits,
            OptionalInt maxTokens,
            LongText longText,
            int windowOverlap,
            int workers,
            Device device,
            EncoderWeights weights,
            @Nullable Path cache) {
        this.file = file;
        this.logits = logits;
        this.maxTokens = maxTokens;
        this.longText = longText;
        this.windowOverlap = windowOverlap;
        this.workers = workers;
        this.device = device;
        this.weights = weights;
        this.cache = cache;
        require(maxTokens.orElse(1) >= 1, "maxTokens", "at least 1", maxTokens.orElse(1));
        require(windowOverlap >= 0, "windowOverlap", "at least 0", windowOverlap);
        require(workers >= 1 && workers <= 1024, "workers", "in [1, 1024]", workers);
    }

    /**
     * The folder for graphs exported from checkpoints; default {@link PolluxCache#directory()}. The default is resolved by
     * this method, not when options are built, so options can be built without a home folder.
     */
    public Path cache() {
        return cache == null ? PolluxCache.directory() : cache;
    }

    /** The model as {@link EncoderSession} runs it. */
    EmbedderOptions session() {
        EmbedderOptions.Builder options = EmbedderOptions.builder()
                .output(OnnxReranker.OUTPUT)
                .normalize(false)
                .device(device);
        maxTokens.ifPresent(options::maxTokens);
        return options.build();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The model file, relative to the folder; absent: as {@link EmbedderOptions#file()}. */
    public Optional<String> file() {
        return file;
    }

    /**
     * Whether scores are the model's logits without the configured activation (the logistic function if none is
     * configured); default false.
     */
    public boolean logits() {
        return logits;
    }

    /**
     * The maximum number of tokens of a pair, special tokens included, at least 1 and at most the positions of the model;
     * absent: {@code model_max_length} of the tokenizer, bounded by the positions of the model; 512 if the folder has none.
     */
    public OptionalInt maxTokens() {
        return maxTokens;
    }

    /**
     * How texts that exceed the limit together with the query are handled; default {@link LongText#REFUSE}. With {@link
     * LongText#WINDOWED} a text is split into overlapping windows, the query is paired with each, and the text gets the
     * highest of their scores.
     */
    public LongText longText() {
        return longText;
    }

    /** Tokens that neighbouring windows share, at least 0 and less than a window; default 32. */
    public int windowOverlap() {
        return windowOverlap;
    }

    /**
     * The number of pairs scored in parallel, each on one thread, in [1, 1024]; default: the processors available to the
     * JVM.
     */
    public int workers() {
        return workers;
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
        return other instanceof RerankerOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "RerankerOptions[file=" + file + ", logits=" + logits + ", maxTokens=" + maxTokens + ", longText="
                + longText + ", windowOverlap=" + windowOverlap + ", workers=" + workers + ", device=" + device
                + ", weights=" + weights + ", cache=" + cache + "]";
    }

    private List<@Nullable Object> values() {
        return Arrays.asList(file, logits, maxTokens, longText, windowOverlap, workers, device, weights, cache);
    }

    /** Builds {@link RerankerOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private Optional<String> file = Optional.empty();
        private boolean logits;
        private OptionalInt maxTokens = OptionalInt.empty();
        private LongText longText = LongText.REFUSE;
        private int windowOverlap = 32;
        private int workers = Runtime.getRuntime().availableProcessors();
        private Device device = Device.CPU;
        private EncoderWeights weights = EncoderWeights.FLOAT;
        private @Nullable Path cache;

        private Builder() {}

        /** See {@link RerankerOptions#file()}. */
        public Builder file(String file) {
            this.file = Optional.of(file);
            return this;
        }

        /** See {@link RerankerOptions#logits()}. */
        public Builder logits(boolean logits) {
            this.logits = logits;
            return this;
        }

        /** See {@link RerankerOptions#maxTokens()}. */
        public Builder maxTokens(int maxTokens) {
            this.maxTokens = OptionalInt.of(maxTokens);
            return this;
        }

        /** See {@link RerankerOptions#longText()}. */
        public Builder longText(LongText longText) {
            this.longText = longText;
            return this;
        }

        /** See {@link RerankerOptions#windowOverlap()}. */
        public Builder windowOverlap(int windowOverlap) {
            this.windowOverlap = windowOverlap;
            return this;
        }

        /** See {@link RerankerOptions#workers()}. */
        public Builder workers(int workers) {
            this.workers = workers;
            return this;
        }

        /** See {@link RerankerOptions#device()}. */
        public Builder device(Device device) {
            this.device = device;
            return this;
        }

        /** See {@link RerankerOptions#weights()}. */
        public Builder weights(EncoderWeights weights) {
            this.weights = weights;
            return this;
        }

        /** See {@link RerankerOptions#cache()}. */
        public Builder cache(Path cache) {
            this.cache = cache;
            return this;
        }

        /** The options; checks every range. */
        public RerankerOptions build() {
            return new RerankerOptions(
                    file, logits, maxTokens, longText, windowOverlap, workers, device, weights, cache);
        }
    }
}
