package dev.pollux.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FilterTest {

    private static final Map<String, String> LETTER =
            Map.of("department", "hr", "year", "2024.0", "date", "2024-05-06T10:00Z", "archived", "False", "empty", "");

    @Test
    void valuesDecideHowAFieldIsRead() {
        assertThat(Filter.equal("department", "hr").matches(LETTER)).isTrue();
        assertThat(Filter.equal("department", "HR").matches(LETTER)).isFalse();
        assertThat(Filter.equal("year", 2024).matches(LETTER)).isTrue();
        assertThat(Filter.equal("year", "2024").matches(LETTER)).isFalse();
        assertThat(Filter.equal("date", LocalDate.of(2024, 5, 6)).matches(LETTER))
                .isTrue();
        assertThat(Filter.equal("archived", false).matches(LETTER)).isTrue();
        assertThat(Filter.equal("archived", true).matches(LETTER)).isFalse();
        assertThat(Filter.equal("empty", "").matches(LETTER)).isTrue();
        assertThat(Filter.equal("department", 5).matches(LETTER)).isFalse();
        assertThat(Filter.equal("absent", "").matches(LETTER)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"2023, true, true, false, false", "2024, true, false, false, true", "2025, false, false, true, true"})
    void numbersAreOrdered(int year, boolean atLeast, boolean greater, boolean less, boolean atMost) {
        assertThat(Filter.atLeast("year", year).matches(LETTER)).isEqualTo(atLeast);
        assertThat(Filter.greaterThan("year", year).matches(LETTER)).isEqualTo(greater);
        assertThat(Filter.lessThan("year", year).matches(LETTER)).isEqualTo(less);
        assertThat(Filter.atMost("year", year).matches(LETTER)).isEqualTo(atMost);
    }

    @ParameterizedTest
    @CsvSource({
        "2024-05-06, true",
        "2024-05-07, false",
        "2024-05-06 23:59, true",
        "2024-05-06t00:00:00+14:00, true",
        "2024-05, false",
        "2024-13-06, false",
        "2024-05-061, false",
        "6 May 2024, false",
        "'', false"
    })
    void aFieldIsADateWhereItBeginsWithOne(String text, boolean holds) {
        LocalDate day = LocalDate.of(2024, 5, 6);
        assertThat(Filter.equal("date", day).matches(Map.of("date", text))).isEqualTo(holds);
        assertThat(Filter.between("date", day, day).matches(Map.of("date", text)))
                .isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource({
        "1e2, true",
        "' 100 ', true",
        "+100, true",
        "1e999999999, false",
        "0x64, false",
        "NaN, false",
        "'1,00', false"
    })
    void aFieldIsANumberWhereItIsADecimal(String text, boolean holds) {
        assertThat(Filter.equal("n", 100).matches(Map.of("n", text))).isEqualTo(holds);
        assertThat(Filter.in("n", 7, 100L, "x").matches(Map.of("n", text))).isEqualTo(holds);
    }

    @Test
    void aHostileNumberIsComparedWithoutBeingWrittenOut() {
        assertThat(Filter.atLeast("n", 5).matches(Map.of("n", "1e999999999"))).isTrue();
        assertThat(Filter.atLeast("n", 5).matches(Map.of("n", "1".repeat(100_000))))
                .isFalse();
        assertThatThrownBy(() -> Filter.equal("n", new BigDecimal("1e5000")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "A number in a filter must have at most 1000 digits on each side of its point but was 1E+5000");
    }

    @Test
    void aNegationHoldsWhereTheFieldIsAbsent() {
        assertThat(Filter.equal("absent", true).negated().matches(LETTER)).isTrue();
        assertThat(Filter.exists("absent").matches(LETTER)).isFalse();
        assertThat(Filter.exists("empty").matches(LETTER)).isTrue();
        assertThat(Filter.exists("year").negated().negated()).isEqualTo(Filter.exists("year"));
    }

    @Test
    void partsAreJoined() {
        Filter a = Filter.exists("a");
        Filter b = Filter.exists("b");
        Filter c = Filter.exists("c");
        assertThat(Filter.all().and(a)).isEqualTo(a);
        assertThat(a.and(Filter.all())).isEqualTo(a);
        assertThat(Filter.all().and(Filter.all())).isEqualTo(Filter.all());
        assertThat(a.and(b).and(c)).isEqualTo(new Filter.And(List.of(a, b, c)));
        assertThat(a.or(b).or(c)).isEqualTo(new Filter.Or(List.of(a, b, c)));
    }

    @Test
    void joinedPartsHoldAsTheirTruthTablesSay() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            boolean[] truth = {random.nextBoolean(), random.nextBoolean()};
            Map<String, String> metadata = truth[0]
                    ? truth[1] ? Map.of("a", "", "b", "") : Map.of("a", "")
                    : truth[1] ? Map.of("b", "") : Map.of();
            Made made = made(random, truth, 4);
            assertThat(made.filter().matches(metadata))
                    .as("seed %d: %s", seed, made.filter())
                    .isEqualTo(made.holds());
        }
    }

    private record Made(Filter filter, boolean holds) {}

    private static Made made(Random random, boolean[] truth, int depth) {
        int kind = depth == 0 ? 0 : random.nextInt(4);
        if (kind == 0) {
            int which = random.nextInt(2);
            return new Made(Filter.exists(which == 0 ? "a" : "b"), truth[which]);
        }
        Made left = made(random, truth, depth - 1);
        if (kind == 1) {
            return new Made(left.filter().negated(), !left.holds());
        }
        Made right = made(random, truth, depth - 1);
        return kind == 2
                ? new Made(left.filter().and(right.filter()), left.holds() && right.holds())
                : new Made(left.filter().or(right.filter()), left.holds() || right.holds());
    }

    @Test
    void aFilterIsWrittenWithTheParenthesesThatItNeeds() {
        Filter hr = Filter.equal("department", "hr");
        Filter recent = Filter.atLeast("year", 2024);
        Filter archived = Filter.equal("archived", true);
        assertThat(hr.and(recent).and(archived.negated()))
                .hasToString("department = \"hr\" and year >= 2024 and not archived = true");
        assertThat(hr.or(recent).and(archived))
                .hasToString("(department = \"hr\" or year >= 2024) and archived = true");
        assertThat(hr.or(recent.and(archived))).hasToString("department = \"hr\" or year >= 2024 and archived = true");
        assertThat(hr.or(recent).negated()).hasToString("not (department = \"hr\" or year >= 2024)");
        assertThat(Filter.in("n", "a \"b\" \\", 1.50, BigInteger.TEN, LocalDate.of(2024, 5, 6)))
                .hasToString("n in (\"a \\\"b\\\" \\\\\", 1.5, 10, 2024-05-06)");
        assertThat(Filter.exists("last change").and(Filter.exists("not")).and(Filter.exists("a`b")))
                .hasToString("exists `last change` and exists `not` and exists `a``b`");
        assertThat(Filter.lessThan("größe_2", -0.5)).hasToString("größe_2 < -0.5");
        assertThat(Filter.all()).hasToString("all");
        assertThat(Filter.all().negated()).hasToString("not all");
    }

    @Test
    void whatCannotBeComparedIsRefused() {
        assertThatThrownBy(() -> Filter.atLeast("department", "hr"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("A filter with >= takes a number or a date but was department >= \"hr\"; give a Number or a"
                        + " LocalDate");
        assertThatThrownBy(() -> Filter.equal("n", Double.NaN))
                .hasMessage("A filter compares with finite numbers but was given NaN");
        assertThatThrownBy(() -> Filter.equal("n", 'c'))
                .hasMessage("A filter compares with a String, a Number, a LocalDate or a Boolean but was given c"
                        + " (java.lang.Character)");
        assertThatThrownBy(() -> Filter.in("n"))
                .hasMessage("values must hold at least one value for field n but was empty");
        assertThatThrownBy(() -> Filter.exists(" "))
                .hasMessage("field must not be blank; name a field of the metadata");
        assertThatThrownBy(() -> new Filter.Or(List.of()))
                .hasMessage("parts must hold at least one filter but was empty");
    }
}
