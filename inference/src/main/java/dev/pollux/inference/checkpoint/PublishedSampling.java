package dev.pollux.inference.checkpoint;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonNode;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.DoublePredicate;
import java.util.function.Function;

/**
 * The sampling settings that the publisher of a model recommends.
 *
 * <p>The keys are {@code temperature}, {@code top_k}, {@code top_p}, {@code min_p}, {@code typical_p},
 * {@code repetition_penalty} and {@code do_sample}. A cut without a temperature implies temperature 1, as in transformers. With
 * neither, temperature and min-p are those of {@link GenerationOptions#SAMPLED}. {@code do_sample} false means greedy decoding.
 * A value out of range is treated as absent, so that the model can still be opened.
 */
final class PublishedSampling {

    /** The keys of GGUF files, by their names in transformers. */
    private static final Map<String, String> GGUF_KEYS = Map.of(
            "temperature", "general.sampling.temp",
            "top_k", "general.sampling.top_k",
            "top_p", "general.sampling.top_p",
            "min_p", "general.sampling.min_p",
            "repetition_penalty", "general.sampling.penalty_repeat");

    private final Function<String, OptionalDouble> numbers;

    private PublishedSampling(Function<String, OptionalDouble> numbers) {
        this.numbers = numbers;
    }

    /** Reads a {@code generation_config.json}; empty if it specifies no sampling. */
    static Optional<GenerationOptions> of(JsonNode config) {
        Function<String, OptionalDouble> numbers = key ->
                config.path(key).isNumber() ? OptionalDouble.of(config.path(key).asDouble()) : OptionalDouble.empty();
        JsonNode sample = config.path("do_sample");
        return new PublishedSampling(numbers).read(!sample.isBoolean() || sample.asBoolean());
    }

    /** Reads the metadata of a GGUF file; empty if it specifies no sampling. */
    static Optional<GenerationOptions> ofGguf(Map<String, Object> metadata) {
        return new PublishedSampling(
                        key -> GGUF_KEYS.containsKey(key) && metadata.get(GGUF_KEYS.get(key)) instanceof Number number
                                ? OptionalDouble.of(number.doubleValue())
                                : OptionalDouble.empty())
                .read(true);
    }

    private Optional<GenerationOptions> read(boolean sample) {
        OptionalDouble temperature = number("temperature", t -> t >= 0 && t <= 100);
        OptionalDouble topK = number("top_k", k -> k >= 0 && k <= Integer.MAX_VALUE && k == Math.rint(k));
        OptionalDouble topP = number("top_p", p -> p > 0 && p <= 1);
        OptionalDouble minP = number("min_p", p -> p >= 0 && p <= 1);
        OptionalDouble typicalP = number("typical_p", p -> p > 0 && p <= 1);
        OptionalDouble penalty = number("repetition_penalty", x -> x > 0 && x <= 100);
        GenerationOptions.Builder options = GenerationOptions.SAMPLED.toBuilder();
        boolean cut = topK.isPresent() || topP.isPresent() || minP.isPresent() || typicalP.isPresent();
        if (cut || temperature.isPresent()) {
            options.temperature(temperature.orElse(1)).minP(0);
        } else if (sample && penalty.isEmpty()) {
            return Optional.empty();
        }
        topK.ifPresent(k -> options.topK((int) k));
        topP.ifPresent(options::topP);
        minP.ifPresent(options::minP);
        typicalP.ifPresent(options::typicalP);
        penalty.ifPresent(options::repetitionPenalty);
        if (!sample) {
            options.temperature(0);
        }
        return Optional.of(options.build());
    }

    private OptionalDouble number(String key, DoublePredicate range) {
        OptionalDouble value = numbers.apply(key);
        return value.isPresent() && range.test(value.getAsDouble()) ? value : OptionalDouble.empty();
    }
}
