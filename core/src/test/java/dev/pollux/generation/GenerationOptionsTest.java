package dev.pollux.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GenerationOptionsTest {

    @Test
    void theBuilderHoldsTheDefaults() {
        assertThat(GenerationOptions.builder().build()).isEqualTo(GenerationOptions.DEFAULTS);
        assertThat(GenerationOptions.DEFAULTS)
                .isEqualTo(
                        new GenerationOptions(512, 0, 0, 1, 0, 1, 1, 0, 0, Map.of(), OptionalLong.empty(), List.of()));
    }

    @Test
    void conversationsAreSampledWhereNothingIsPublished() {
        assertThat(GenerationOptions.SAMPLED)
                .isEqualTo(
                        GenerationOptions.builder().temperature(0.7).minP(0.05).build());
    }

    @Test
    void toBuilderKeepsEverything() {
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(3)
                .temperature(0.7)
                .topK(40)
                .topP(0.9)
                .minP(0.05)
                .typicalP(0.95)
                .repetitionPenalty(1.1)
                .presencePenalty(0.2)
                .frequencyPenalty(-0.3)
                .logitBias(Map.of(5, -1f))
                .seed(11)
                .stop("###", "\n\n")
                .build();
        assertThat(options.toBuilder().build()).isEqualTo(options).isNotEqualTo(GenerationOptions.DEFAULTS);
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void aValueOutOfRangeIsNamedWithItsRule(UnaryOperator<GenerationOptions.Builder> change, String message) {
        GenerationOptions.Builder builder = change.apply(GenerationOptions.builder());
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    static List<Arguments> outOfRange() {
        return List.of(
                outOfRange(b -> b.maxTokens(0), "maxTokens must be at least 1 but was 0"),
                outOfRange(b -> b.temperature(-1), "temperature must be in [0, 100] but was -1.0"),
                outOfRange(b -> b.temperature(Double.NaN), "temperature must be in [0, 100] but was NaN"),
                outOfRange(b -> b.topK(-1), "topK must be at least 0 (0 keeps all) but was -1"),
                outOfRange(b -> b.topP(0), "topP must be in (0, 1] but was 0.0"),
                outOfRange(b -> b.topP(1.5), "topP must be in (0, 1] but was 1.5"),
                outOfRange(b -> b.minP(1.5), "minP must be in [0, 1] but was 1.5"),
                outOfRange(b -> b.typicalP(0), "typicalP must be in (0, 1] but was 0.0"),
                outOfRange(b -> b.repetitionPenalty(0), "repetitionPenalty must be in (0, 100] but was 0.0"),
                outOfRange(b -> b.presencePenalty(101), "presencePenalty must be in [-100, 100] but was 101.0"),
                outOfRange(b -> b.frequencyPenalty(-101), "frequencyPenalty must be in [-100, 100] but was -101.0"),
                outOfRange(b -> b.stop("a", ""), "stop must be free of empty strings but was [a, ]"));
    }

    @Test
    void collectionsAreCopied() {
        Map<Integer, Float> bias = new HashMap<>(Map.of(1, 2f));
        List<String> stop = new ArrayList<>(List.of("end"));
        GenerationOptions options =
                GenerationOptions.builder().logitBias(bias).stop(stop).build();
        bias.clear();
        stop.clear();
        assertThat(options.logitBias()).isEqualTo(Map.of(1, 2f));
        assertThat(options.stop()).containsExactly("end");
    }

    private static Arguments outOfRange(UnaryOperator<GenerationOptions.Builder> change, String message) {
        return Arguments.of(change, message);
    }
}
