package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.GenerationOptions;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TwinOptionsTest {

    @Test
    void theBuilderHoldsTheDefaults() {
        assertThat(TwinOptions.builder().build()).isEqualTo(TwinOptions.DEFAULTS);
        assertThat(TwinOptions.DEFAULTS.generation())
                .isEqualTo(GenerationOptions.builder().maxTokens(256).build());
    }

    @Test
    void toBuilderKeepsEverything() {
        TwinOptions options = TwinOptions.builder()
                .style(TwinOptions.Style.QUOTE)
                .topK(3)
                .maxEvidence(2)
                .minScore(0.1)
                .minOverlap(0.2)
                .minSupport(0.3)
                .minGroundedness(0.4)
                .historyShare(0.5)
                .unknownText("No idea.")
                .generation(GenerationOptions.DEFAULTS)
                .build();
        assertThat(options.toBuilder().build()).isEqualTo(options).isNotEqualTo(TwinOptions.DEFAULTS);
    }

    @ParameterizedTest
    @MethodSource("outOfRange")
    void aValueOutOfRangeIsNamedWithItsRule(UnaryOperator<TwinOptions.Builder> change, String message) {
        TwinOptions.Builder builder = change.apply(TwinOptions.builder());
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    static List<Arguments> outOfRange() {
        return List.of(
                outOfRange(b -> b.topK(0), "topK must be in [1, 100] but was 0"),
                outOfRange(b -> b.topK(101), "topK must be in [1, 100] but was 101"),
                outOfRange(b -> b.maxEvidence(0), "maxEvidence must be in [1, 20] but was 0"),
                outOfRange(b -> b.maxEvidence(21), "maxEvidence must be in [1, 20] but was 21"),
                outOfRange(b -> b.minScore(-0.1), "minScore must be in [0, 1] but was -0.1"),
                outOfRange(b -> b.minOverlap(1.1), "minOverlap must be in [0, 1] but was 1.1"),
                outOfRange(b -> b.minSupport(Double.NaN), "minSupport must be in [0, 1] but was NaN"),
                outOfRange(b -> b.minGroundedness(2), "minGroundedness must be in [0, 1] but was 2.0"),
                outOfRange(b -> b.historyShare(-1), "historyShare must be in [0, 1] but was -1.0"),
                outOfRange(b -> b.unknownText(" "), "unknownText must be a sentence but was ' '"));
    }

    @Test
    void aPersonaHasANameAndIntroducesItself() {
        assertThat(Persona.DEFAULT.introduction())
                .isEqualTo("You are Pollux. You answer briefly and plainly, in whole sentences.");
        assertThat(new Persona("Ada", "", "German").introduction()).isEqualTo("You are Ada. Answer in German.");
        assertThat(Persona.of("Ada", "Be kind. ")).isEqualTo(new Persona("Ada", "Be kind. ", ""));
        assertThatThrownBy(() -> Persona.of(" ", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("name must not be blank; give the twin a name");
    }

    private static Arguments outOfRange(UnaryOperator<TwinOptions.Builder> change, String message) {
        return Arguments.of(change, message);
    }
}
