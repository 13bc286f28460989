package dev.pollux.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.store.embedding.filter.comparison.IsEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThan;
import dev.pollux.retrieval.Filter;
import java.time.LocalDate;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FilterTranslationTest {

    @Test
    void bothDirectionsAgreeOnEveryDocument() {
        long seed = new Random().nextLong();
        System.out.println("FilterTranslationTest seed " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            var theirs = RandomFilters.filter(random, 4);
            Filter ours = FromLangChain4j.filter(theirs);
            var back = ToLangChain4j.filter(ours);
            Metadata metadata = new Metadata();
            if (random.nextBoolean()) {
                metadata.put("team", random.nextBoolean() ? "red" : "green");
            }
            if (random.nextBoolean()) {
                metadata.put("year", 2020 + random.nextInt(5));
            }
            if (random.nextBoolean()) {
                metadata.put("price", random.nextInt(10) / 4.0);
            }
            boolean expected = theirs.test(metadata);
            assertThat(ours.matches(MetadataTypes.texts(metadata)))
                    .as("%s of %s", ours, metadata)
                    .isEqualTo(expected);
            assertThat(back.test(metadata)).as("%s of %s", back, metadata).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "year = 2024                       | {year=2024}  | true",
                "year = 2024.5                     | {year=2024}  | false",
                "archived                          | {archived=true} | true",
                "name in (\"a\", \"b\")            | {name=b}     | true",
                "name != \"a\"                     | {}           | true",
                "day = 2024-05-06                  | {day=2024-05-06T10:00Z} | true",
                "day = 2024-05-06                  | {day=2024-05-07} | false",
                "day <= 2024-05-06                 | {day=2024-05-06T23:59} | true",
                "day < 2024-05-06                  | {day=2024-05-06} | false",
                "day > 2024-05-06                  | {day=2024-05-06T01:00} | false",
                "day >= 2024-05-06                 | {day=2024-05-06} | true",
                "day in (2024-05-06, 2024-12-31)   | {day=2024-12-31} | true",
                "not (a = \"x\" or b = \"y\") and c = \"z\" | {c=z} | true"
            },
            delimiter = '|')
    void filtersOfPolluxMeanTheSameInLangChain4j(String filter, String metadata, boolean expected) {
        Map<String, String> texts = new java.util.TreeMap<>();
        for (String entry : metadata.substring(1, metadata.length() - 1).split(",")) {
            if (!entry.isBlank()) {
                texts.put(entry.substring(0, entry.indexOf('=')), entry.substring(entry.indexOf('=') + 1));
            }
        }
        Filter ours = Filter.parse(filter);

        assertThat(ours.matches(texts)).isEqualTo(expected);
        assertThat(ToLangChain4j.filter(ours).test(typed(texts))).isEqualTo(expected);
    }

    /** Years as numbers, as a host stores them. */
    private static Metadata typed(Map<String, String> texts) {
        Metadata metadata = new Metadata();
        texts.forEach((name, value) -> {
            if (name.equals("year")) {
                metadata.put(name, Integer.parseInt(value));
            } else {
                metadata.put(name, value);
            }
        });
        return metadata;
    }

    @ParameterizedTest
    @ValueSource(strings = {"all", "exists a", "tags contains \"x\"", "a = 1 and exists b"})
    void whatLangChain4jDoesNotHaveIsRefused(String filter) {
        assertThatThrownBy(() -> ToLangChain4j.filter(Filter.parse(filter)))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("LangChain4j has no filter for ")
                .hasMessageEndingWith("; use comparisons, in, and, or and not, or leave the filter out");
    }

    @Test
    void valuesOfLangChain4jAreTranslated() {
        UUID id = UUID.fromString("6b3b7a0e-9f54-4f0b-8f2b-6a3c4c9f7f11");
        LocalDate day = LocalDate.of(2024, 5, 6);

        assertThat(FromLangChain4j.filter(new IsEqualTo("id", id))).isEqualTo(Filter.equal("id", id.toString()));
        assertThat(FromLangChain4j.filter(new IsGreaterThan("day", day))).isEqualTo(Filter.greaterThan("day", day));
        assertThatThrownBy(() -> FromLangChain4j.filter(new IsGreaterThan("name", "m")))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessage("Pollux orders numbers and dates only but the filter was IsGreaterThan(key=name,"
                        + " comparisonValue=m); compare with a number");
    }
}
