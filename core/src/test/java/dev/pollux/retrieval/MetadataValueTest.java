package dev.pollux.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MetadataValueTest {

    @Test
    void aValueIsReadAsItWasWritten() {
        for (Object value : List.of(
                true,
                2024L,
                -7L,
                0L,
                new BigDecimal("1.50"),
                LocalDate.of(2024, 5, 6),
                List.of("red, ripe", 1L, true, 2.5, "a \"b\""),
                List.of(),
                "text",
                "",
                " 1",
                "007",
                "+1",
                "1e5",
                "12345678901234567890",
                "2024-02-30",
                "[see below]",
                "Doe, Jane",
                "TRUE")) {
            assertThat(MetadataValue.of(MetadataValue.text(value))).isEqualTo(value);
        }
    }

    @Test
    void otherValuesHaveTexts() {
        assertThat(MetadataValue.text(3)).isEqualTo("3");
        assertThat(MetadataValue.text(2.0)).isEqualTo("2");
        assertThat(MetadataValue.text(0.25f)).isEqualTo("0.25");
        assertThat(MetadataValue.text(1e300)).isEqualTo("1.0E300");
        assertThat(MetadataValue.text(List.of(LocalDate.EPOCH, "x"))).isEqualTo("[\"1970-01-01\",\"x\"]");
        assertThat(MetadataValue.text(Map.of("a", 1L))).isEqualTo("{\"a\":1}");
        assertThat(MetadataValue.text(Optional.empty())).isEmpty();
    }

    @Test
    void whatIsNoValueIsRefused() {
        assertThatThrownBy(() -> MetadataValue.text(Double.NaN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("metadata must be finite but was NaN");
        assertThatThrownBy(() -> MetadataValue.text('x'))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("metadata must be a text, number, truth value, date or list of them but was x"
                        + " (java.lang.Character)");
    }

    @Test
    void containsReadsBothFormsOfAList() {
        Filter red = Filter.contains("tags", "red");
        assertThat(red.matches(Map.of("tags", "[\"red\",\"green\"]"))).isTrue();
        assertThat(red.matches(Map.of("tags", "red, green"))).isTrue();
        assertThat(red.matches(Map.of("tags", "[\"red, green\"]"))).isFalse();
        assertThat(Filter.contains("sizes", 2).matches(Map.of("sizes", "[1,2.0,3]")))
                .isTrue();
    }
}
