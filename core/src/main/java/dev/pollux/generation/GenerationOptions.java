package dev.pollux.generation;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How the next token is chosen and when to stop. <em>Immutable.</em>
 *
 * <p>Order of work on the logits, which equals that of transformers' {@code generate} for the settings that it has: biases,
 * repetition penalty, presence and frequency penalty, DRY, no-repeat n-grams, bad words, minimum length, processors of the host;
 * then temperature, top-h, top-k, top-p, min-p, typical-p, epsilon, eta, XTC, mirostat; draw. With temperature 0 the best token is
 * taken (greedy), and everything from the temperature on is idle.
 */
public final class GenerationOptions {

    /** Greedy, at most 512 tokens: the same answer to the same prompt. */
    public static final GenerationOptions DEFAULTS = builder().build();

    /**
     * Temperature 0.7 and min-p 0.05: for conversations with a model of which no sampling is published. Greedy decoding repeats
     * itself with small models; a min-p keeps out what is improbable beside the best token, at any temperature.
     */
    public static final GenerationOptions SAMPLED =
            builder().temperature(0.7).minP(0.05).build();

    private final GenerationValues set; // never changed

    private GenerationOptions(GenerationValues set) {
        this.set = set;
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder(new GenerationValues());
    }

    /** A builder with these options. */
    public Builder toBuilder() {
        return new Builder(set.copy());
    }

    /** Most tokens to produce, in [1, 2^31 - 1]; default 512. */
    public int maxTokens() {
        return set.maxTokens;
    }

    /**
     * Fewest tokens to produce before the text may end, in [0, maxTokens]; default 0. Until then the end tokens are forbidden; a
     * stop string still ends the text.
     */
    public int minTokens() {
        return set.minTokens;
    }

    /** Divides the logits, in [0, 100]; 0 is greedy; default 0. */
    public double temperature() {
        return set.temperature;
    }

    /** Keep the best tokens while their share of the 100 best's entropy is at most this, in (0, 1]; default 1 (arXiv:2509.02510). */
    public double topH() {
        return set.topH;
    }

    /** Keep the k best tokens and all equal to the k-th, at least 0; 0 keeps all; default 0. */
    public int topK() {
        return set.topK;
    }

    /** Nucleus: keep the smallest set of best tokens that reaches this mass, in (0, 1]; default 1 (arXiv:1904.09751). */
    public double topP() {
        return set.topP;
    }

    /** Drop tokens less probable than this share of the best, in [0, 1]; default 0 (Nguyen et al., arXiv:2407.01082). */
    public double minP() {
        return set.minP;
    }

    /** Keep the tokens of most typical surprise up to this mass, in (0, 1]; default 1 (Meister et al., arXiv:2202.00666). */
    public double typicalP() {
        return set.typicalP;
    }

    /** Drop tokens less probable than this, in [0, 1); 0 keeps all; default 0 (Hewitt et al., arXiv:2210.15191). */
    public double epsilonCutoff() {
        return set.epsilonCutoff;
    }

    /**
     * Drop tokens less probable than min(eta, sqrt(eta) · exp(-entropy in nats)), in [0, 1); 0 keeps all; default 0 (Hewitt et
     * al., arXiv:2210.15191).
     */
    public double etaCutoff() {
        return set.etaCutoff;
    }

    /** Now and then excludes the most probable tokens; default absent. */
    public Optional<Xtc> xtc() {
        return set.xtc;
    }

    /** Keeps the surprise of the text near a target; default absent. */
    public Optional<Mirostat> mirostat() {
        return set.mirostat;
    }

    /**
     * Divides positive and multiplies negative logits of tokens in prompt and output, in (0, 100]; default 1 (Keskar et al.,
     * arXiv:1909.05858).
     */
    public double repetitionPenalty() {
        return set.repetitionPenalty;
    }

    /** Subtracted once from the logit of every token already produced, in [-100, 100]; default 0. */
    public double presencePenalty() {
        return set.presencePenalty;
    }

    /** Subtracted from a token's logit as often as it was produced, in [-100, 100]; default 0. */
    public double frequencyPenalty() {
        return set.frequencyPenalty;
    }

    /** Makes the continuation of a repeated sequence less probable, the longer the sequence; default absent. */
    public Optional<Dry> dry() {
        return set.dry;
    }

    /** Forbids tokens that would repeat a sequence of this many tokens of prompt and output, at least 0; 0 allows all; default 0. */
    public int noRepeatNgram() {
        return set.noRepeatNgram;
    }

    /** Added to the logits of these token ids; negative infinity forbids a token; default none. */
    public Map<Integer, Float> logitBias() {
        return set.logitBias;
    }

    /** Added to the logit of the last token of a sequence of token ids where the text ends with the others; default none. */
    public Map<List<Integer>, Float> sequenceBias() {
        return set.sequenceBias;
    }

    /** Sequences of token ids that must not be completed; default none. One that consists of just an end token is ignored. */
    public List<List<Integer>> badWords() {
        return set.badWords;
    }

    /** Change the logits after all penalties, in this order; default none. */
    public List<LogitsProcessor> logitsProcessors() {
        return set.logitsProcessors;
    }

    /** Makes the draw repeatable, on any machine if the logits are the same; absent: a new one each time. */
    public OptionalLong seed() {
        return set.seed;
    }

    /** Strings that end the text and are not part of it; default none. */
    public List<String> stop() {
        return set.stop;
    }

    /**
     * Report the log-probabilities of each token and of this number of most probable tokens at its position, in [0, 100]; absent
     * by default: none are reported.
     */
    public OptionalInt logProbabilities() {
        return set.logProbabilities;
    }

    /**
     * The longest time from the request to its end; a request that takes longer, waiting or writing, fails with {@link
     * dev.pollux.DeadlineException}; absent by default.
     */
    public Optional<Duration> deadline() {
        return set.deadline;
    }

    /**
     * Where requests wait for others, those of a higher priority run first, in [-100, 100]; default 0. Requests of one priority
     * run in the order of their arrival. A request of a low priority may wait as long as others arrive.
     */
    public int priority() {
        return set.priority;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GenerationOptions that && set.values().equals(that.set.values());
    }

    @Override
    public int hashCode() {
        return set.values().hashCode();
    }

    /** The options that differ from the defaults. */
    @Override
    public String toString() {
        Map<String, Object> defaults = DEFAULTS.set.values();
        Map<String, Object> values = set.values();
        values.entrySet().removeIf(value -> value.getValue().equals(defaults.get(value.getKey())));
        return "GenerationOptions" + values;
    }

    /** Builds {@link GenerationOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private final GenerationValues set;

        private Builder(GenerationValues set) {
            this.set = set;
        }

        /** See {@link GenerationOptions#maxTokens()}. */
        public Builder maxTokens(int maxTokens) {
            set.maxTokens = maxTokens;
            return this;
        }

        /** See {@link GenerationOptions#minTokens()}. */
        public Builder minTokens(int minTokens) {
            set.minTokens = minTokens;
            return this;
        }

        /** See {@link GenerationOptions#temperature()}. */
        public Builder temperature(double temperature) {
            set.temperature = temperature;
            return this;
        }

        /** See {@link GenerationOptions#topH()}. */
        public Builder topH(double topH) {
            set.topH = topH;
            return this;
        }

        /** See {@link GenerationOptions#topK()}. */
        public Builder topK(int topK) {
            set.topK = topK;
            return this;
        }

        /** See {@link GenerationOptions#topP()}. */
        public Builder topP(double topP) {
            set.topP = topP;
            return this;
        }

        /** See {@link GenerationOptions#minP()}. */
        public Builder minP(double minP) {
            set.minP = minP;
            return this;
        }

        /** See {@link GenerationOptions#typicalP()}. */
        public Builder typicalP(double typicalP) {
            set.typicalP = typicalP;
            return this;
        }

        /** See {@link GenerationOptions#epsilonCutoff()}. */
        public Builder epsilonCutoff(double epsilonCutoff) {
            set.epsilonCutoff = epsilonCutoff;
            return this;
        }

        /** See {@link GenerationOptions#etaCutoff()}. */
        public Builder etaCutoff(double etaCutoff) {
            set.etaCutoff = etaCutoff;
            return this;
        }

        /** See {@link GenerationOptions#xtc()}. */
        public Builder xtc(Xtc xtc) {
            set.xtc = Optional.of(xtc);
            return this;
        }

        /** See {@link GenerationOptions#mirostat()}. */
        public Builder mirostat(Mirostat mirostat) {
            set.mirostat = Optional.of(mirostat);
            return this;
        }

        /** See {@link GenerationOptions#repetitionPenalty()}. */
        public Builder repetitionPenalty(double repetitionPenalty) {
            set.repetitionPenalty = repetitionPenalty;
            return this;
        }

        /** See {@link GenerationOptions#presencePenalty()}. */
        public Builder presencePenalty(double presencePenalty) {
            set.presencePenalty = presencePenalty;
            return this;
        }

        /** See {@link GenerationOptions#frequencyPenalty()}. */
        public Builder frequencyPenalty(double frequencyPenalty) {
            set.frequencyPenalty = frequencyPenalty;
            return this;
        }

        /** See {@link GenerationOptions#dry()}. */
        public Builder dry(Dry dry) {
            set.dry = Optional.of(dry);
            return this;
        }

        /** See {@link GenerationOptions#noRepeatNgram()}. */
        public Builder noRepeatNgram(int noRepeatNgram) {
            set.noRepeatNgram = noRepeatNgram;
            return this;
        }

        /** See {@link GenerationOptions#logitBias()}. */
        public Builder logitBias(Map<Integer, Float> logitBias) {
            set.logitBias = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(logitBias)));
            return this;
        }

        /** See {@link GenerationOptions#sequenceBias()}. */
        public Builder sequenceBias(Map<List<Integer>, Float> sequenceBias) {
            Map<List<Integer>, Float> copy = new LinkedHashMap<>();
            sequenceBias.forEach((sequence, bias) -> copy.put(List.copyOf(sequence), bias));
            set.sequenceBias = Collections.unmodifiableMap(copy);
            return this;
        }

        /** See {@link GenerationOptions#badWords()}. */
        public Builder badWords(List<List<Integer>> badWords) {
            set.badWords = badWords.stream().map(List::copyOf).toList();
            return this;
        }

        /** See {@link GenerationOptions#logitsProcessors()}. */
        public Builder logitsProcessors(List<LogitsProcessor> logitsProcessors) {
            set.logitsProcessors = List.copyOf(logitsProcessors);
            return this;
        }

        /** See {@link GenerationOptions#seed()}. */
        public Builder seed(long seed) {
            set.seed = OptionalLong.of(seed);
            return this;
        }

        /** See {@link GenerationOptions#stop()}. */
        public Builder stop(List<String> stop) {
            set.stop = List.copyOf(stop);
            return this;
        }

        /** See {@link GenerationOptions#logProbabilities()}. */
        public Builder logProbabilities(int top) {
            set.logProbabilities = OptionalInt.of(top);
            return this;
        }

        /** See {@link GenerationOptions#deadline()}. */
        public Builder deadline(Duration deadline) {
            set.deadline = Optional.of(deadline);
            return this;
        }

        /** See {@link GenerationOptions#priority()}. */
        public Builder priority(int priority) {
            set.priority = priority;
            return this;
        }

        /** See {@link GenerationOptions#stop()}. */
        public Builder stop(String... stop) {
            return stop(List.of(stop));
        }

        /** The options; checks every range. */
        public GenerationOptions build() {
            set.check();
            return new GenerationOptions(set.copy());
        }
    }
}
