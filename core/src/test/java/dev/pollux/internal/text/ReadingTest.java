package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReadingTest {

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '~',
            value = {
                "- one\\n- two\\n---\\n\\nEnd. ~ PARAGRAPH one, PARAGRAPH two, SILENT ---, PARAGRAPH End.",
                "1. one\\n===\\nEnd. ~ PARAGRAPH one\\n===\\nEnd.",
                "> quote\\n---\\n\\nEnd. ~ PARAGRAPH quote, SILENT ---, PARAGRAPH End.",
                "> > deep\\n***\\nEnd. ~ PARAGRAPH deep, SILENT ***, PARAGRAPH End.",
                "Title\\n---\\nEnd. ~ HEADING Title, PARAGRAPH End.",
                "One. Two.\\n---\\nEnd. ~ PARAGRAPH One. Two., SILENT ---, PARAGRAPH End.",
                "# A #\\ntext\\n## B\\n ~ HEADING A, PARAGRAPH text, HEADING B",
                "a | b\\n"
                        + "--|--\\n"
                        + "1 | 2\\n"
                        + "3 |\\n"
                        + "\\n"
                        + "End. ~ TABLE_HEAD a | b, TABLE_ROW 1 | 2, TABLE_ROW 3 |, PARAGRAPH End.",
                "| a |\\n|---|\\n| 1 |\\nEnd. ~ TABLE_HEAD | a |, TABLE_ROW | 1 |, PARAGRAPH End.",
                "Prices:\\n"
                        + "| a | b |\\n"
                        + "|---|---|\\n"
                        + "| 1 | 2 | ~ PARAGRAPH Prices:, TABLE_HEAD | a | b |, TABLE_ROW | 1 | 2 |",
                "a | b\\nno table ~ PARAGRAPH a | b\\nno table",
                "[^n]: A note.\\n"
                        + "    More.\\n"
                        + "\\n"
                        + "    Also.\\n"
                        + "\\n"
                        + "End. ~ PARAGRAPH A note.\\n"
                        + "    More., PARAGRAPH Also., PARAGRAPH End.",
                "[a]: http://x.y 'T'\\n"
                        + "[b]: The door is open. ~ SILENT [a]: http://x.y 'T', PARAGRAPH [b]: The door is open.",
                "[^1]: A note.\\n[a]: http://x.y ~ PARAGRAPH A note., SILENT [a]: http://x.y",
                "<!-- a\\n\\nb -->\\nText. ~ SILENT <!-- a\\n\\nb -->, PARAGRAPH Text.",
                "<!-- a --> Text. ~ SILENT <!-- a -->, PARAGRAPH Text.",
                "<!-- open\\n\\nText. ~ PARAGRAPH <!-- open, PARAGRAPH Text.",
                "```sh\\n# no\\n```\\n# Yes ~ CODE # no, HEADING Yes",
                "Text.\\n"
                        + "\\n"
                        + "    x = 1;\\n"
                        + "\\n"
                        + "    y = 2;\\n"
                        + "\\n"
                        + "End. ~ PARAGRAPH Text., CODE x = 1;\\n"
                        + "\\n"
                        + "    y = 2;, PARAGRAPH End.",
                "Text.\\n"
                        + "\\n"
                        + "    This is a sentence that someone has indented.\\n"
                        + " ~ PARAGRAPH Text., PARAGRAPH This is a sentence that someone has indented.",
                "The count is\\n14. It grows. ~ PARAGRAPH The count is\\n14. It grows.",
                "Q: Who?\\nA: Ann.\\nQ: When?\\nA: Now. ~ QUESTION Who?, ANSWER Ann., QUESTION When?, ANSWER Now.",
                "**Who is it?**\\n\\nAnn. ~ QUESTION **Who is it?**, PARAGRAPH Ann.",
                "Q: Tell me.\\nA: No. ~ QUESTION Tell me., ANSWER No.",
                "P: not one. ~ PARAGRAPH P: not one.",
                "Heron\\n: A bird.\\n: A drone. ~ TERM Heron, PARAGRAPH A bird., PARAGRAPH A drone.",
                "> [!NOTE]\\n> Mind it. ~ HEADING [!NOTE], PARAGRAPH Mind it.",
                "<div>\\n<p>One.</p>\\n<p>Two.</p>\\n</div>\\n\\nEnd. ~ PARAGRAPH One., PARAGRAPH Two., PARAGRAPH End.",
                "<h2>Head</h2>\\n\\nText. ~ HEADING Head, PARAGRAPH Text.",
                "<script>\\nvar a;\\n\\n</script>\\nText. ~ SILENT <script>\\nvar a;\\n\\n</script>, PARAGRAPH Text.",
                "::: tip\\nText.\\n::: ~ SILENT ::: tip, PARAGRAPH Text., SILENT :::",
            })
    void blocksAreThoseThatAReaderSees(String text, String blocks) {
        assertThat(shown(Reading.ofPart(unescaped(text), "text/markdown"))).isEqualTo(unescaped(blocks));
    }

    @Test
    void itemsKnowTheirNumbersAlsoAcrossCode() {
        Reading reading =
                Reading.ofPart("3. a\n3. b\n\n```\nx\n```\n\n5. c\n\n   - d\n     e\n\n9) f\n", "text/markdown");
        assertThat(reading.blocks())
                .filteredOn(block -> !block.place().items().isEmpty())
                .extracting(block -> block.place().item().mark())
                .containsExactly("3.", "4.", "5.", "-", "9)");
        assertThat(reading.blocks())
                .filteredOn(block -> !block.place().items().isEmpty())
                .extracting(block -> block.place().items().get(0).list())
                .containsExactly(1, 1, 1, 1, 3);
    }

    @Test
    void frontMatterIsABlockAtTheBeginningOfADocumentOnly() {
        String text = "---\ntitle: A\ntags: [b]\n---\nText.";
        assertThat(shown(Reading.of(text, "text/markdown")))
                .isEqualTo("FRONT_MATTER title: A\ntags: [b], PARAGRAPH Text.");
        assertThat(shown(Reading.ofPart(text, "text/markdown"))).startsWith("SILENT ---, HEADING title: A");
        assertThat(shown(Reading.of("---\n\nNote: x.\n\n---\n\nText.", "text/markdown")))
                .doesNotContain("FRONT_MATTER");
        assertThat(shown(Reading.of("---\nJust text.\n---\n", "text/markdown"))).doesNotContain("FRONT_MATTER");
    }

    @Test
    void plainTextHasParagraphsOnly() {
        assertThat(shown(Reading.of("# no\n- no\n\n| a |\n|---|", "text/plain")))
                .isEqualTo("PARAGRAPH # no\n- no, PARAGRAPH | a |\n|---|");
    }

    @Test
    void headingsInsideListsAndQuotesAreAboveNothing() {
        Reading reading = Reading.ofPart("# A\n\n> # B\n\n- # C\n\nText.", "text/markdown");
        Block last = reading.blocks().get(reading.blocks().size() - 1);
        assertThat(last.path()).extracting(Block.Heading::title).containsExactly("A");
    }

    @Test
    void whatNoReaderSeesIsHidden() {
        String data = "data:image/png;base64," + "iVBORw0KGgo4".repeat(30);
        String text = "A <!-- x\n\n- y --> b `<!--` c.\n\nSee ![p](" + data + ") d <img src=\"" + data + "\"> e.";
        Reading reading = Reading.ofPart(text, "text/markdown");
        assertThat(reading.visible(0, text.length())).isEqualTo("A  b `<!--` c.\n\nSee  d  e.");
        assertThat(Reading.of("x " + "0aB9".repeat(100) + " y", "text/plain").visible(0, 404))
                .isEqualTo("x  y");
        assertThat(Reading.of("a".repeat(400), "text/plain").hidden()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "> ",
                "- ",
                "1. ",
                "<!-- ",
                "<script>",
                "[",
                "![",
                "[a](",
                "`",
                "```\n",
                "| ",
                "|-",
                "* * ",
                "Q: ?\n",
                "\t",
                "<div>",
                "[^a]: ",
                ": ",
                "&#",
                "data:,",
                "(",
                "**",
                "\n> - ",
                "<",
                "# ",
                "    a\n",
                "a\n===\n",
                "===\n",
                "\n\n",
                "<!--x-->y",
                "Q:\n",
                "A. B. C. ",
                "`` ` "
            })
    void aHostileTextIsReadInLinearTime(String piece) {
        String text = piece.repeat(300_000 / piece.length());
        readsWithinBounds(text);
        String part = text.substring(0, 60_000);
        readsWithinBounds("<div>" + part);
        readsWithinBounds("- a\n" + part + "\n-->");
    }

    private static void readsWithinBounds(String text) {
        assertThat(Reading.of(text, "text/plain").lines().count()).isPositive();
        Reading reading = Reading.of(text, "text/markdown");
        assertThat(reading.blocks()).allSatisfy(block -> {
            assertThat(block.place().items().size() + block.place().quotes()).isLessThanOrEqualTo(12);
        });
        Sentences.of(reading).forEach(sentence -> Inline.plain(sentence.of(text)));
    }

    @Test
    void underlinedTitlesOfPlainTextAreHeadings() {
        Reading reading = Reading.of(
                "======\n"
                        + "Manual\n"
                        + "======\n\n"
                        + "Usage\n"
                        + "-----\n"
                        + "Call it.\n\n"
                        + "More\n"
                        + "----\n\n"
                        + "a   b\n"
                        + "-----\n"
                        + "1   2\n\n"
                        + "-----\n\n"
                        + "End.",
                "text/plain");
        assertThat(reading.blocks())
                .extracting(block -> block.kind() + " " + block.level() + " "
                        + block.of(reading.text()).replace("\n", "|"))
                .containsExactly(
                        "HEADING 1 Manual",
                        "HEADING 2 Usage",
                        "PARAGRAPH 0 Call it.",
                        "HEADING 2 More",
                        "PARAGRAPH 0 a   b|-----|1   2",
                        "SILENT 0 -----",
                        "PARAGRAPH 0 End.");
        assertThat(reading.blocks().get(2).path())
                .extracting(Block.Heading::title)
                .containsExactly("Manual", "Usage");
    }

    @Test
    void indentedLinesOfPlainTextAreCodeBelowTwoColons() {
        String text = "Like this::\n\n"
                + "    make all\n\n"
                + "    make check\n\n"
                + "Done.\n\n"
                + ".. code-block:: sh\n"
                + "   :linenos:\n\n"
                + "   ls\n\n"
                + "Two::\nlines.\n\n"
                + "No code::\n\n"
                + "here.";
        Reading reading = Reading.of(text, "text/plain");
        assertThat(reading.blocks())
                .extracting(block -> block.kind() + " " + block.of(text).replace("\n", "|"))
                .containsExactly(
                        "PARAGRAPH Like this::",
                        "CODE make all||    make check",
                        "PARAGRAPH Done.",
                        "SILENT .. code-block:: sh",
                        "CODE :linenos:||   ls",
                        "PARAGRAPH Two::|lines.",
                        "PARAGRAPH No code::",
                        "PARAGRAPH here.");
    }

    @Test
    void linesBelowADirectiveThatIsNoCodeAreText() {
        String text = ".. note::\n\n   Be careful.\n\n.. versionadded:: 3.5\n\nOne.\n";
        assertThat(Reading.of(text, "text/plain").blocks())
                .extracting(block -> block.kind() + " " + block.of(text))
                .containsExactly(
                        "SILENT .. note::",
                        "PARAGRAPH Be careful.",
                        "PARAGRAPH .. versionadded:: 3.5",
                        "PARAGRAPH One.");
    }

    @Test
    void blocksStandInOrderInAnyText() {
        long seed = 20261130;
        Random random = new Random(seed);
        String[] parts = {
            "Word",
            " ",
            ". ",
            "\n",
            "\n\n",
            "\r\n",
            "- ",
            "# ",
            "| ",
            "|-|\n",
            "```",
            "1. ",
            "> ",
            "<!--",
            "-->",
            "<div>",
            "</div>",
            "[^a]: ",
            ": ",
            "Q: ",
            "A: ",
            "?",
            "\t",
            "    ",
            "---\n",
            "===\n",
            "**",
            "[a]: b\n"
        };
        for (int round = 0; round < 3_000; round++) {
            StringBuilder made = new StringBuilder();
            for (int i = random.nextInt(40); i > 0; i--) {
                made.append(parts[random.nextInt(parts.length)]);
            }
            String text = made.toString();
            int end = 0;
            for (Block block : Reading.of(text, "text/markdown").blocks()) {
                assertThat(block.start())
                        .as("seed %d: %s", seed, text)
                        .isBetween(Math.min(end, text.length()), block.end());
                assertThat(block.endLine()).as("seed %d: %s", seed, text).isGreaterThan(block.firstLine());
                end = block.end();
            }
        }
    }

    private static String shown(Reading reading) {
        List<String> blocks = reading.blocks().stream()
                .map(block -> block.kind() + " " + block.of(reading.text()))
                .toList();
        return String.join(", ", blocks);
    }

    private static String unescaped(String text) {
        return text.replace("\\n", "\n");
    }
}
