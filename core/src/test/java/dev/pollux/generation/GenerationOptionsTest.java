package dev.pollux.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GenerationOptionsTest {

    @Test
    void theBuilderHoldsTheDefaults() {
        assertThat(GenerationOptions.builder().build()).isEqualTo(GenerationOptions.DEFAULTS);
        assertThat(GenerationOptions.DEFAULTS.maxTokens()).isEqualTo(512);
        assertThat(GenerationOptions.DEFAULTS.temperature()).isZero();
        assertThat(GenerationOptions.DEFAULTS.topP()).isOne();
        assertThat(GenerationOptions.DEFAULTS.repetitionPenalty()).isOne();
        assertThat(GenerationOptions.DEFAULTS.seed()).isEmpty();
        assertThat(GenerationOptions.DEFAULTS).hasToString("GenerationOptions{}");
    }

    @Test
    void conversationsAreSampledWhereNothingIsPublished() {
        assertThat(GenerationOptions.SAMPLED)
                .isEqualTo(
                        GenerationOptions.builder().temperature(0.7).minP(0.05).build());
    }

    @ParameterizedTest
    @MethodSource("changes")
    void everyOptionIsKeptComparedAndShown(String option, UnaryOperator<GenerationOptions.Builder> change) {
        GenerationOptions options = change.apply(GenerationOptions.builder()).build();
        assertThat(options.toBuilder().build())
                .isEqualTo(options)
                .hasSameHashCodeAs(options)
                .isNotEqualTo(GenerationOptions.DEFAULTS);
        assertThat(options.toString()).startsWith("GenerationOptions{" + option + "=");
    }

    static List<Arguments> changes() {
        return List.of(
                change("maxTokens", b -> b.maxTokens(3)),
                change("minTokens", b -> b.minTokens(3)),
                change("temperature", b -> b.temperature(0.7)),
                change("topH", b -> b.topH(0.4)),
                change("topK", b -> b.topK(40)),
                change("topP", b -> b.topP(0.9)),
                change("minP", b -> b.minP(0.05)),
                change("typicalP", b -> b.typicalP(0.95)),
                change("epsilonCutoff", b -> b.epsilonCutoff(1e-3)),
                change("etaCutoff", b -> b.etaCutoff(1e-3)),
                change("xtc", b -> b.xtc(new Xtc(0.5, 0.1))),
                change("mirostat", b -> b.mirostat(new Mirostat(5, 0.1))),
                change("repetitionPenalty", b -> b.repetitionPenalty(1.1)),
                change("presencePenalty", b -> b.presencePenalty(0.2)),
                change("frequencyPenalty", b -> b.frequencyPenalty(-0.3)),
                change("dry", b -> b.dry(Dry.DEFAULTS)),
                change("noRepeatNgram", b -> b.noRepeatNgram(3)),
                change("logitBias", b -> b.logitBias(Map.of(5, -1f))),
                change("sequenceBias", b -> b.sequenceBias(Map.of(List.of(5, 6), -1f))),
                change("badWords", b -> b.badWords(List.of(List.of(5, 6)))),
                change("logitsProcessors", b -> b.logitsProcessors(List.of((tokens, prompt, logits) -> logits[0] = 0))),
                change("seed", b -> b.seed(11)),
                change("stop", b -> b.stop("###", "\n\n")),
                change("logProbabilities", b -> b.logProbabilities(0)));
    }

    private static Arguments change(String option, UnaryOperator<GenerationOptions.Builder> change) {
        return Arguments.of(option, change);
    }

    @Test
    void aBuilderMayBeChangedAfterItHasBuilt() {
        GenerationOptions.Builder builder = GenerationOptions.builder().topK(1);
        GenerationOptions first = builder.build();
        assertThat(builder.topK(2).build().topK()).isEqualTo(2);
        assertThat(first.topK()).isOne();
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void aValueOutOfRangeIsNamedWithItsRule(UnaryOperator<GenerationOptions.Builder> change, String message) {
        assertThatThrownBy(() -> change.apply(GenerationOptions.builder()).build())
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
                outOfRange(b -> b.minTokens(-1), "minTokens must be in [0, maxTokens] with maxTokens 512 but was -1"),
                outOfRange(
                        b -> b.maxTokens(2).minTokens(3),
                        "minTokens must be in [0, maxTokens] with maxTokens 2 but was 3"),
                outOfRange(b -> b.topH(0), "topH must be in (0, 1] but was 0.0"),
                outOfRange(b -> b.epsilonCutoff(1), "epsilonCutoff must be in [0, 1) but was 1.0"),
                outOfRange(b -> b.etaCutoff(-1), "etaCutoff must be in [0, 1) but was -1.0"),
                outOfRange(b -> b.noRepeatNgram(-1), "noRepeatNgram must be at least 0 (0 allows all) but was -1"),
                outOfRange(
                        b -> b.sequenceBias(Map.of(List.of(), 1f)),
                        "sequenceBias must be free of empty sequences but was {[]=1.0}"),
                outOfRange(
                        b -> b.badWords(List.of(List.of())), "badWords must be free of empty sequences but was [[]]"),
                outOfRange(b -> b.xtc(new Xtc(2, 0.1)), "probability must be in [0, 1] but was 2.0"),
                outOfRange(b -> b.xtc(new Xtc(1, 0.6)), "threshold must be in (0, 0.5] but was 0.6"),
                outOfRange(b -> b.mirostat(new Mirostat(0, 0.1)), "tau must be in (0, 100] but was 0.0"),
                outOfRange(b -> b.mirostat(new Mirostat(5, 2)), "eta must be in (0, 1] but was 2.0"),
                outOfRange(b -> b.dry(new Dry(0, 1.75, 2, 9, List.of())), "multiplier must be in (0, 100] but was 0.0"),
                outOfRange(b -> b.dry(new Dry(1, 0.5, 2, 9, List.of())), "base must be in [1, 100] but was 0.5"),
                outOfRange(b -> b.dry(new Dry(1, 1.75, 0, 9, List.of())), "allowedLength must be at least 1 but was 0"),
                outOfRange(b -> b.dry(new Dry(1, 1.75, 2, 0, List.of())), "range must be at least 1 but was 0"),
                outOfRange(
                        b -> b.dry(new Dry(1, 1.75, 2, 9, List.of(""))),
                        "breakers must be free of empty strings but was []"),
                outOfRange(b -> b.logProbabilities(101), "logProbabilities must be in [0, 100] but was 101"),
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
