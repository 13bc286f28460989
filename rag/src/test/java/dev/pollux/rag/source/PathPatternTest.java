package dev.pollux.rag.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of gitignore(5). */
class PathPatternTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "a.md a.md true",
                "a.md x/y/a.md true",
                "*.md x/a.md true",
                "*.md a.mdx false",
                "/a.md a.md true",
                "/a.md x/a.md false",
                "x/a.md x/a.md true",
                "x/a.md y/x/a.md false",
                "x/* x/a.md true",
                "x/* x/y/a.md false",
                "** x/y/a.md true",
                "**/a.md a.md true",
                "**/x/a.md y/z/x/a.md true",
                "x/** x/y/a.md true",
                "x/** x false",
                "x/**/a.md x/a.md true",
                "x/**/a.md x/y/z/a.md true",
                "x/**/a.md y/x/a.md false",
                "x/**/**/a.md x/a.md true",
                "a**.md abc.md true",
                "a**.md a/c.md false",
                "a?c abc true",
                "a?c a/c false",
                "a[bx]c abc true",
                "a[!bx]c abc false",
                "a[^b]c axc true",
                "a[a-c]c abc true",
                "a[]x]c a]c true",
                "a[[:digit:]]c a7c true",
                "a[[:alpha:]]c a7c false",
                "a[b abc false",
                "a\\*c a*c true",
                "a\\*c abc false",
                "\\#a #a true",
                "\\!a !a true",
                "a\\ a false",
                "*a*b*c* xaybzc true",
                "*a*b*c* xaycz false",
                "Ä*.md Äö.md true",
            })
    void onePatternAgainstOnePath(String pattern, String path, boolean matches) {
        assertThat(PathPattern.of(pattern).orElseThrow().matches(List.of(path.split("/")), false))
                .isEqualTo(matches);
    }

    @Test
    void aSlashAtTheEndMeansFolders() {
        PathPattern pattern = PathPattern.of("build/").orElseThrow();
        assertThat(pattern.matches(List.of("x", "build"), true)).isTrue();
        assertThat(pattern.matches(List.of("x", "build"), false)).isFalse();
        assertThat(PathPattern.of("x/build/").orElseThrow().matches(List.of("y", "x", "build"), true))
                .isFalse();
    }

    @Test
    void commentsEmptyLinesAndSpacesAtTheEndAreNoPatterns() {
        assertThat(List.of("", "   ", "# note", "/", "!"))
                .allSatisfy(line -> assertThat(PathPattern.of(line)).isEmpty());
        assertThat(PathPattern.of("a.md   ").orElseThrow().matches(List.of("a.md"), false))
                .isTrue();
        assertThat(PathPattern.of("a\\ ").orElseThrow().matches(List.of("a "), false))
                .isTrue();
        assertThat(PathPattern.of("!a.md").orElseThrow().negated()).isTrue();
    }

    @Test
    void aHostilePatternTakesNoMoreThanItsLengthTimesTheNames() {
        String stars = "*a".repeat(2000) + "b";
        assertThat(PathPattern.of(stars).orElseThrow().matches(List.of("a".repeat(20_000)), false))
                .isFalse();
        String folders = "**/a/".repeat(500) + "b";
        assertThat(PathPattern.of(folders).orElseThrow().matches(java.util.Collections.nCopies(1000, "a"), false))
                .isFalse();
    }
}
