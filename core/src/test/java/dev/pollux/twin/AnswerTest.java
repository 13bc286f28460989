package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.Usage;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.retrieval.Passage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Answers as Markdown, and as a line in a log. */
class AnswerTest {

    private static final String LONG = "The Argo was rowed by fifty heroes,\nand her keel was made of oak from Dodona.";

    private static Answer answer(String text, Citation... citations) {
        return new Answer(
                Answer.Kind.QUOTED,
                text,
                List.of(citations),
                List.of(),
                List.of(new DroppedSentence("It flew.", "not in the documents")),
                1,
                new Packing(0, 0, 0, 0),
                Optional.empty(),
                Optional.empty(),
                Usage.NONE,
                List.of());
    }

    private static Citation citation(int number, String path, int first, int last, String heading) {
        String document = path.substring(path.lastIndexOf('/') + 1);
        return new Citation(
                number, new Origin("docs", document, path, List.of()), heading, Location.lines(first, last), LONG);
    }

    @Test
    void markdownNamesEachPlaceOnce() {
        Answer answer = answer(
                "Fifty. [1] Oak. [2] Fifty. [3]",
                citation(1, "/home/ada/docs/boats.md", 5, 5, "Boats > Argo"),
                citation(2, "/home/ada/docs/boats.md", 6, 7, ""),
                citation(3, "/home/ada/docs/boats.md", 5, 5, "Boats > Argo"));

        assertThat(answer.toMarkdown()).isEqualTo("""
            Fifty. [1] Oak. [2] Fifty. [3]

            * \\[1\\] \\[3\\] [boats.md, line 5](file:///home/ada/docs/boats.md#L5): Boats \\> Argo
            * \\[2\\] [boats.md, lines 6–7](file:///home/ada/docs/boats.md#L6-L7)
            """);
    }

    @Test
    void markdownWithoutCitationsIsTheText() {
        assertThat(answer("I do not know.").toMarkdown()).isEqualTo("I do not know.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "boats.md | boats.md#L5",
                "my docs/a (b).md | my%20docs/a%20%28b%29.md#L5",
                "/docs/Übersicht #1.md | file:///docs/%C3%9Cbersicht%20%231.md#L5",
                "C:\\docs\\a b.md | file:///C:/docs/a%20b.md#L5",
                "\\\\server\\docs\\a.md | file://server/docs/a.md#L5",
                "https://example.org/a?b=c#d | https://example.org/a?b=c#d",
                "https://example.org/a b) | https://example.org/a%20b%29",
                "javascript:alert(1) | javascript%3Aalert%281%29#L5",
                "javascript://x | javascript%3A//x#L5",
                "100%.md | 100%25.md#L5"
            })
    void linksLeadToThePath(String path, String link) {
        String markdown = answer("Fifty. [1]", citation(1, path, 5, 5, "")).toMarkdown();

        assertThat(markdown).contains("](" + link + ")\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/docs/report.pdf | file:///docs/report.pdf#page=3",
                "https://example.org/report.pdf | https://example.org/report.pdf#page=3",
                "https://example.org/report.pdf#top | https://example.org/report.pdf#top"
            })
    void linksLeadToThePage(String path, String link) {
        Citation citation =
                new Citation(1, new Origin("docs", "report.pdf", path, List.of()), "Costs", Location.pages(3, 4), LONG);

        assertThat(answer("Fifty. [1]", citation).toMarkdown())
                .isEqualTo("Fifty. [1]\n\n* \\[1\\] [report.pdf, pages 3–4](" + link + "): Costs\n");
        assertThat(citation).asString().startsWith("[1] report.pdf, pages 3–4 (Costs): \"The Argo");
    }

    @Test
    void cellsAreNamedWithTheirSheet() {
        Citation citation = new Citation(
                1,
                new Origin("docs", "book.xlsx", "book.xlsx", List.of()),
                "",
                Location.cells("Costs_[1]", "A2:D5"),
                LONG);

        assertThat(answer("Fifty. [1]", citation).toMarkdown())
                .isEqualTo("Fifty. [1]\n\n* \\[1\\] [book.xlsx, sheet Costs\\_\\[1\\], cells A2:D5](book.xlsx)\n");
    }

    @Test
    void namesInLinksAreNoMarkup() {
        String markdown = answer("Fifty. [1]", citation(1, "a_[b]*`c`<d>.md", 1, 1, "# One\nline"))
                .toMarkdown();

        assertThat(markdown)
                .contains(
                        "[a\\_\\[b\\]\\*\\`c\\`\\<d\\>.md, line 1](a_%5Bb%5D%2A%60c%60%3Cd%3E.md#L1): \\# One line\n");
    }

    @Test
    void everyResultIsOneShortLine() {
        Passage passage = new Passage(
                "id", "boats.md", List.of("Boats", "Argo"), LONG, 0, LONG.length(), Location.lines(5, 6), Map.of());

        assertThat(passage)
                .hasToString(
                        "Passage[boats.md:5-6 (Boats > Argo), \"The Argo was rowed by fifty heroes, and her keel was"
                                + " made of…\"]");
        assertThat(new Hit(passage, 0.03254))
                .hasToString(
                        "Hit[0.0325, boats.md:5-6 (Boats > Argo), \"The Argo was rowed by fifty heroes, and her keel"
                                + " was made of…\"]");
        assertThat(citation(1, "boats.md", 5, 5, ""))
                .hasToString("[1] boats.md:5: \"The Argo was rowed by fifty heroes, and her keel was made of…\"");
        assertThat(answer("Fifty. [1]", citation(1, "boats.md", 5, 5, "")))
                .hasToString("Answer[QUOTED, \"Fifty. [1]\", 1 citation, 1 sentence dropped]");
        assertThat(new Generation(LONG, List.of(1, 2), FinishReason.END_OF_TEXT, Usage.NONE))
                .hasToString(
                        "Generation[\"The Argo was rowed by fifty heroes, and her keel was made of…\", END_OF_TEXT, 2"
                                + " tokens]");
        assertThat(new Evidence(
                        2,
                        Origin.of("a.md"),
                        "",
                        Location.lines(1, 1),
                        "\ud83d\ude00".repeat(40),
                        "\ud83d\ude00".repeat(40),
                        "",
                        0.5))
                .hasToString("[2] 0.50 a.md:1: \"" + "\ud83d\ude00".repeat(30) + "…\"");
    }
}
