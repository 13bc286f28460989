package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SentencesTest {

    @Test
    void proseEndsAtFullStops() {
        assertThat(split("Models are merged. Is it exact? It is! 3.5 bits suffice… Or not."))
                .containsExactly("Models are merged.", "Is it exact?", "It is!", "3.5 bits suffice…", "Or not.");
    }

    @Test
    void abbreviationsAndInitialsEndNothing() {
        assertThat(
                        split(
                                "Dr. Smith met J. Doe, e.g. at Acme Inc. in Bonn. See Fig. 3 vs. Table 2. It ran at 5 p.m. sharp."))
                .containsExactly(
                        "Dr. Smith met J. Doe, e.g. at Acme Inc. in Bonn.",
                        "See Fig. 3 vs. Table 2.",
                        "It ran at 5 p.m. sharp.");
    }

    @Test
    void aSentenceMayReachOverLines() {
        assertThat(split("Models are merged\nby averaging\r\ntheir weights. It is\rcheap."))
                .containsExactly("Models are merged\nby averaging\r\ntheir weights.", "It is\rcheap.");
    }

    @Test
    void listItemsAreSentencesWithoutTheirMarks() {
        assertThat(
                        split(
                                "Steps:\n\n- Open the file. Read it\n* [x] Close it\n\n1. First\n2) second\n   goes on\n> quoted\n"))
                .containsExactly(
                        "Steps:", "Open the file.", "Read it", "Close it", "First", "second\n   goes on", "quoted");
    }

    @Test
    void headingsAreToldApart() {
        List<Sentence> sentences = Sentences.of("# Merging models\n\nText.\n\nMethods\n-------\nSlerp.\n\n---\n\nEnd.");
        assertThat(sentences)
                .extracting(Sentence::kind)
                .containsExactly(
                        Sentence.Kind.HEADING,
                        Sentence.Kind.PROSE,
                        Sentence.Kind.HEADING,
                        Sentence.Kind.PROSE,
                        Sentence.Kind.PROSE);
    }

    @Test
    void tableRowsAreSentencesAndTheHeadIsAHeading() {
        String text = "| method | needs |\n|---|:--:|\n| slerp. Two | 2 models |\n| ties | a base |\nAfter.";
        assertThat(split(text))
                .containsExactly("| method | needs |", "| slerp. Two | 2 models |", "| ties | a base |", "After.");
        assertThat(Sentences.of(text).get(0).kind()).isEqualTo(Sentence.Kind.HEADING);
        assertThat(Sentences.of(text).get(1).kind()).isEqualTo(Sentence.Kind.TABLE_ROW);
    }

    @Test
    void aFenceEndsWhereItsOwnMarkIs() {
        String text = "~~~~\nmerge(a, b);\n```\n~~~~\nThe code is over. So it is.";
        List<Sentence> sentences = Sentences.of(text);
        assertThat(sentences)
                .extracting(Sentence::kind)
                .containsExactly(Sentence.Kind.CODE, Sentence.Kind.PROSE, Sentence.Kind.PROSE);
        assertThat(sentences.get(0).of(text)).isEqualTo("merge(a, b);\n```");
    }

    @Test
    void headingsHaveLevelsAndTableHeadsHaveNone() {
        assertThat(Sentences.of("# A\nB\nC\n===\nD\n---\n### E ##\n| f | g |\n|---|---|\n"))
                .extracting(Sentence::level)
                .containsExactly(1, 1, 2, 3, 0);
    }

    @Test
    void codeIsOneSentenceWithoutItsFences() {
        String text = "Run it:\n```java\nvar a = 1; // It. Is. Code.\n\n# no heading\n```\nDone.\n~~~\nopen. End";
        assertThat(split(text))
                .containsExactly("Run it:", "var a = 1; // It. Is. Code.\n\n# no heading", "Done.", "open. End");
        assertThat(Sentences.of(text).get(1).kind()).isEqualTo(Sentence.Kind.CODE);
    }

    @Test
    void inlineCodeAndLinksAreNotCut() {
        assertThat(split(
                        "Call `Job. Run()` first. See [the guide](http://a.b/c.d?E. F) for it. A ` stays alone. Next."))
                .containsExactly(
                        "Call `Job. Run()` first.",
                        "See [the guide](http://a.b/c.d?E. F) for it.",
                        "A ` stays alone.",
                        "Next.");
    }

    @Test
    void otherScriptsHaveSentencesToo() {
        assertThat(split("模型可以合并。权重取平均。")).containsExactly("模型可以合并。", "权重取平均。");
        assertThat(split("Это модель. Она мала.")).containsExactly("Это модель.", "Она мала.");
    }

    @Test
    void linkDefinitionsAndRulesSayNothing() {
        assertThat(split("Text [a].\n\n[a]: http://example.org/x.y\n\n***\n\n- - -\n\n...\n"))
                .containsExactly("Text [a].");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", " ", "\n\r\n\t", "---", "```", "```\n```", "|", "|-|", "> ", "- ", "#", "\uD83D", "\u0000"})
    void whereThereIsNothingToSayThereIsNoSentence(String text) {
        assertThat(Sentences.of(text)).isEmpty();
    }

    @Test
    void hugeSentencesAreCutAndNothingIsLost() {
        for (String piece :
                List.of("word ", "word, ", "wörd; ", "x", "😀a", "a. ", "`. ", "[x](", "| a ", "a.b", "((", "A. ")) {
            String text = piece.repeat(200_000 / piece.length());
            List<Sentence> sentences = Sentences.of(text);
            assertThat(sentences)
                    .as(piece)
                    .allSatisfy(s -> assertThat(s.end() - s.start()).isBetween(1, Sentences.LONGEST));
            assertThat(letters(String.join(
                            "", sentences.stream().map(s -> s.of(text)).toList())))
                    .as(piece)
                    .isEqualTo(letters(text));
        }
    }

    @Test
    void hugeCodeIsCutBetweenLines() {
        String line = "int x = compute(1, 2); // comment\n";
        List<String> parts = split("```\n" + line.repeat(100) + "```");
        assertThat(parts)
                .hasSizeGreaterThan(3)
                .allSatisfy(part -> assertThat(part).startsWith("int x").endsWith("comment"));
    }

    @Test
    void sentencesStandInOrderAndHoldEveryLetterOfAnyText() {
        long seed = 20261125;
        Random random = new Random(seed);
        String[] parts = {
            "Word", " ", ". ", "\n", "\r\n", "\r", "- ", "# ", "| ", "```", "`", "1. ", "(", ")", "[", "]", "> ", "é",
            "😀", "e.g. ", "?", "!", "\t", "    ", "---", "~~~", "字", "。"
        };
        for (int round = 0; round < 2_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(60); i > 0; i--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            int end = 0;
            for (Sentence sentence : Sentences.of(text.toString())) {
                assertThat(sentence.start()).as("seed %d: %s", seed, text).isGreaterThanOrEqualTo(end);
                assertThat(sentence.of(text.toString()))
                        .isNotBlank()
                        .isEqualTo(sentence.of(text.toString()).strip());
                end = sentence.end();
            }
            assertThat(end).isLessThanOrEqualTo(text.length());
        }
    }

    private static List<String> split(String text) {
        return Sentences.of(text).stream().map(s -> s.of(text)).toList();
    }

    private static String letters(String text) {
        return text.replaceAll("[^\\p{L}]", "");
    }
}
