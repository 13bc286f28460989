package dev.pollux.internal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names that patterns match. */
class WildcardTest {

    @ParameterizedTest
    @CsvSource({
        "a.b, a.b, true",
        "a.b, aXb, false",
        "*, '', true",
        "*.down*, layers.0.down.weight, true",
        "*.down*, layers.0.up.weight, false",
        "ab*ba, aba, false",
        "ab*ba, abba, true",
        "a*b*c, aXbYc, true",
        "a*b*c, acb, false",
        "*b*b, ab, false",
        "**, x, true",
    })
    void aStarStandsForAnyCharacters(String pattern, String name, boolean matches) {
        assertThat(Wildcard.matches(pattern, name)).isEqualTo(matches);
    }
}
