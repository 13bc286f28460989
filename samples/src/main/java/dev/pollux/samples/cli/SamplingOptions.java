package dev.pollux.samples.cli;

import dev.pollux.generation.Dry;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Mirostat;
import dev.pollux.generation.Xtc;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options for sampling and stopping. An absent option keeps the default of the model or the command. */
final class SamplingOptions {

    @Option(
            names = "--max-tokens",
            order = 30,
            paramLabel = "N",
            description = "Most tokens to write. Default: 512; 256 from documents.")
    private @Nullable Integer maxTokens;

    @Option(
            names = "--temperature",
            order = 31,
            paramLabel = "T",
            description =
                    "Divides the logits, in [0, 100]; 0 takes the best token. Default: the model's, else 0.7; 0 from"
                            + " documents.")
    private @Nullable Double temperature;

    @Option(
            names = "--top-k",
            order = 32,
            paramLabel = "N",
            description = "Keep the N best tokens; 0 keeps all. Default: the model's, else 0.")
    private @Nullable Integer topK;

    @Option(
            names = "--top-p",
            order = 33,
            paramLabel = "P",
            description = "Keep the best tokens that reach this mass, in (0, 1]. Default: the model's, else 1.")
    private @Nullable Double topP;

    @Option(
            names = "--min-p",
            order = 34,
            paramLabel = "P",
            description = "Drop tokens below this share of the best, in [0, 1]. Default: the model's, else 0.05.")
    private @Nullable Double minP;

    @Option(
            names = "--typical-p",
            order = 35,
            paramLabel = "P",
            description =
                    "Keep the tokens of most typical surprise up to this mass, in (0, 1]. Default: the model's, else"
                            + " 1.")
    private @Nullable Double typicalP;

    @Option(
            names = "--repetition-penalty",
            order = 36,
            paramLabel = "X",
            description = "Divides the logits of tokens seen before, in (0, 100]. Default: the model's, else 1.")
    private @Nullable Double repetitionPenalty;

    @Option(
            names = "--presence-penalty",
            order = 37,
            paramLabel = "X",
            description = "Subtracted from tokens written before, in [-100, 100]. Default: 0.")
    private @Nullable Double presencePenalty;

    @Option(
            names = "--frequency-penalty",
            order = 38,
            paramLabel = "X",
            description = "The same, as often as they were written. Default: 0.")
    private @Nullable Double frequencyPenalty;

    @Option(
            names = "--seed",
            order = 39,
            paramLabel = "N",
            description = "Makes the draw repeatable. Default: a new one each time; 0 with --raw.")
    private @Nullable Long seed;

    @Option(
            names = "--stop",
            order = 40,
            paramLabel = "TEXT",
            description = "A text that ends the answer and is not part of it; may be given again.")
    private @Nullable List<String> stop;

    @Option(
            names = "--logit-bias",
            order = 41,
            paramLabel = "ID=BIAS",
            description = "Added to the logit of a token id; may be given again.")
    private @Nullable Map<Integer, Float> logitBias;

    @Option(
            names = "--min-tokens",
            order = 42,
            paramLabel = "N",
            description = "Fewest tokens before the text may end. Default: 0.")
    private @Nullable Integer minTokens;

    @Option(
            names = "--no-repeat-ngram",
            order = 43,
            paramLabel = "N",
            description = "No sequence of N tokens occurs twice; 0 allows all. Default: 0.")
    private @Nullable Integer noRepeatNgram;

    @Option(
            names = "--dry",
            order = 44,
            paramLabel = "X",
            converter = DryConverter.class,
            description = "Penalty on repeated sequences that grows with their length, in (0, 100]; often 0.8. Default:"
                    + " none.")
    private @Nullable Dry dry;

    @Option(
            names = "--xtc",
            order = 45,
            paramLabel = "SHARE:P",
            converter = XtcConverter.class,
            description = "At this share of the positions, exclude all but the last of the tokens above probability P;"
                    + " often 0.5:0.1. Default: none.")
    private @Nullable Xtc xtc;

    @Option(
            names = "--mirostat",
            order = 46,
            paramLabel = "TAU:ETA",
            converter = MirostatConverter.class,
            description = "Keep the surprise near TAU bits, with rate ETA; often 5:0.1. Default: none.")
    private @Nullable Mirostat mirostat;

    @Option(
            names = "--top-h",
            order = 47,
            paramLabel = "H",
            description = "Keep the best tokens up to this share of the entropy, in (0, 1]. Default: 1.")
    private @Nullable Double topH;

    @Option(
            names = "--epsilon-cutoff",
            order = 48,
            paramLabel = "P",
            description = "Drop tokens less probable than this, in [0, 1). Default: 0.")
    private @Nullable Double epsilonCutoff;

    @Option(
            names = "--eta-cutoff",
            order = 49,
            paramLabel = "P",
            description = "The same, lower where the entropy is high, in [0, 1). Default: 0.")
    private @Nullable Double etaCutoff;

    /** Reports values out of range before a model is opened. */
    void check(PolluxCommand command) {
        over(GenerationOptions.DEFAULTS, command);
    }

    /** {@code base} with the given options; a value out of range is a mistake on the command line. */
    GenerationOptions over(GenerationOptions base, PolluxCommand command) {
        GenerationOptions.Builder builder = base.toBuilder();
        Optional.ofNullable(maxTokens).ifPresent(builder::maxTokens);
        Optional.ofNullable(temperature).ifPresent(builder::temperature);
        Optional.ofNullable(topK).ifPresent(builder::topK);
        Optional.ofNullable(topP).ifPresent(builder::topP);
        Optional.ofNullable(minP).ifPresent(builder::minP);
        Optional.ofNullable(typicalP).ifPresent(builder::typicalP);
        Optional.ofNullable(repetitionPenalty).ifPresent(builder::repetitionPenalty);
        Optional.ofNullable(presencePenalty).ifPresent(builder::presencePenalty);
        Optional.ofNullable(frequencyPenalty).ifPresent(builder::frequencyPenalty);
        Optional.ofNullable(seed).ifPresent(builder::seed);
        Optional.ofNullable(stop).ifPresent(builder::stop);
        Optional.ofNullable(logitBias).map(HashMap::new).ifPresent(builder::logitBias);
        Optional.ofNullable(noRepeatNgram).ifPresent(builder::noRepeatNgram);
        Optional.ofNullable(dry).ifPresent(builder::dry);
        Optional.ofNullable(xtc).ifPresent(builder::xtc);
        Optional.ofNullable(mirostat).ifPresent(builder::mirostat);
        Optional.ofNullable(topH).ifPresent(builder::topH);
        Optional.ofNullable(epsilonCutoff).ifPresent(builder::epsilonCutoff);
        Optional.ofNullable(etaCutoff).ifPresent(builder::etaCutoff);
        Optional.ofNullable(minTokens).ifPresent(builder::minTokens);
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw command.usage(e);
        }
    }

    /** The multiplier; the rest is as in {@link Dry#DEFAULTS}. */
    static final class DryConverter implements ITypeConverter<Dry> {
        @Override
        public Dry convert(String value) {
            Dry usual = Dry.DEFAULTS;
            return checked(
                    "a number",
                    value,
                    () -> new Dry(
                            Double.parseDouble(value),
                            usual.base(),
                            usual.allowedLength(),
                            usual.range(),
                            usual.breakers()));
        }
    }

    /** {@code SHARE:P}. */
    static final class XtcConverter implements ITypeConverter<Xtc> {
        @Override
        public Xtc convert(String value) {
            return pair(value, "SHARE:P, for example 0.5:0.1", Xtc::new);
        }
    }

    /** {@code TAU:ETA}. */
    static final class MirostatConverter implements ITypeConverter<Mirostat> {
        @Override
        public Mirostat convert(String value) {
            return pair(value, "TAU:ETA, for example 5:0.1", Mirostat::new);
        }
    }

    private static <T> T pair(String value, String rule, BiFunction<Double, Double, T> make) {
        return checked(rule, value, () -> {
            String[] parts = value.split(":", -1);
            if (parts.length != 2) {
                throw new NumberFormatException();
            }
            return make.apply(Double.valueOf(parts[0]), Double.valueOf(parts[1]));
        });
    }

    private static <T> T checked(String rule, String value, Supplier<T> make) {
        try {
            return make.get();
        } catch (NumberFormatException e) {
            throw new TypeConversionException("must be " + rule + " but was '" + value + "'");
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
