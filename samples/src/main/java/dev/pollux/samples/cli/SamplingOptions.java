package dev.pollux.samples.cli;

import dev.pollux.generation.GenerationOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

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
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw command.usage(e);
        }
    }
}
