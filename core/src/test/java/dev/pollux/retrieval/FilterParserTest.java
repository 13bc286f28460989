package dev.pollux.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.LocalDate;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FilterParserTest {

    @Test
    void aFilterIsReadAsPeopleWriteIt() {
        assertThat(Filter.parse("department = \"hr\" and year >= 2024 and not archived"))
                .isEqualTo(Filter.equal("department", "hr")
                        .and(Filter.atLeast("year", 2024))
                        .and(Filter.equal("archived", true).negated()));
        assertThat(Filter.parse("a = 1 or b = 2 and c = 3"))
                .isEqualTo(Filter.equal("a", 1).or(Filter.equal("b", 2).and(Filter.equal("c", 3))));
        assertThat(Filter.parse("(a = 1 OR b<2) AND c != 'x\\'y'"))
                .isEqualTo(Filter.equal("a", 1)
                        .or(Filter.lessThan("b", 2))
                        .and(Filter.equal("c", "x'y").negated()));
        assertThat(Filter.parse("updated > 2024-05-01 and tags contains \"pay\""))
                .isEqualTo(
                        Filter.greaterThan("updated", LocalDate.of(2024, 5, 1)).and(Filter.contains("tags", "pay")));
        assertThat(Filter.parse("status in (\"open\", 3, true) and owner not in ('Ann') and exists `my field`"))
                .isEqualTo(Filter.in("status", "open", 3, true)
                        .and(Filter.in("owner", "Ann").negated())
                        .and(Filter.exists("my field")));
        assertThat(Filter.parse(" all ")).isEqualTo(Filter.all());
        assertThat(Filter.parse("n = -1.5e2")).isEqualTo(Filter.equal("n", -150));
    }

    @Test
    void aListContainsItsElements() {
        Map<String, String> red = Map.of("tags", "red, dark green,3");
        assertThat(Filter.contains("tags", "dark green").matches(red)).isTrue();
        assertThat(Filter.contains("tags", 3).matches(red)).isTrue();
        assertThat(Filter.contains("tags", "green").matches(red)).isFalse();
        assertThat(Filter.contains("tags", "one").matches(Map.of("tags", "one")))
                .isTrue();
        assertThat(Filter.contains("tags", "one").matches(Map.of())).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '~',
            value = {
                "~~| 1| expected a field but found the end",
                "department =| 13| expected a value but found the end",
                "department = and| 14| expected a value, with text in quotation marks, but found 'and'",
                "department = hr| 14| expected a value, with text in quotation marks, but found 'hr'",
                "department \"hr\"| 12| expected 'and', 'or' or the end but found '\"hr\"'",
                "a = \"hr| 5| the quotation mark \" is not closed",
                "a = 1 and| 10| expected a field but found the end",
                "(a = 1| 7| expected ')' but found the end",
                "a = 1)| 6| expected 'and', 'or' or the end but found ')'",
                "a in 1| 6| expected '(' but found '1'",
                "a ~ 1| 3| '~' has no meaning here",
                "a = 2024-13-01| 5| there is no date 2024-13-01",
                "a < true| 3| A filter with < takes a number or a date but was a < true; give a Number or a LocalDate"
            },
            delimiter = '|')
    void whatDoesNotParseIsAnsweredWithItsPosition(String text, int position, String problem) {
        String filter = text == null ? "" : text;
        assertThatThrownBy(() -> Filter.parse(filter))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The filter does not parse at position " + position + ": " + problem + " in: " + filter
                        + "; write it as department = \"hr\" and year >= 2024 and not archived");
    }

    @Test
    void deepNestingIsRefused() {
        assertThatThrownBy(() -> Filter.parse("not ".repeat(500) + "a"))
                .hasMessage("The filter must not nest deeper than 100 but does at position 401");
    }

    @Test
    void parsingTheTextOfAFilterGivesTheFilter() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            Filter filter = filter(random, 4);
            assertThat(Filter.parse(filter.toString())).as("seed %d", seed).hasToString(filter.toString());
        }
    }

    private static Filter filter(Random random, int depth) {
        return switch (random.nextInt(depth == 0 ? 5 : 8)) {
            case 0 -> Filter.equal("quo\"te\\", "te\"xt\\ '");
            case 1 -> Filter.between("year", random.nextInt(9) - 4, 1.25);
            case 2 -> Filter.exists("all").and(Filter.exists("a`b"));
            case 3 -> Filter.in("größe", true, LocalDate.of(2024, 1, 2), "x");
            case 4 -> Filter.contains("contains", "x");
            case 5 -> filter(random, depth - 1).negated();
            case 6 -> filter(random, depth - 1).and(filter(random, depth - 1));
            default -> filter(random, depth - 1).or(filter(random, depth - 1));
        };
    }
}
