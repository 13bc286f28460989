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

    /** A bar stands where a sentence ends and a space follows, a circumflex where none does. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Use the new shell.|npm is installed on every machine.|kubectl needs the file in the home folder.|iPhones are charged at the desk.|The post is read at nine.",
                "Dr. Smith met Prof. Jones at 5 p.m. in the lobby.|They talked.",
                "The limit is 5.|The rest is free.",
                "The limit is 5.|npm checks it.",
                "See Fig. 3 and Eq. 4.|It is clear.",
                "He said no.|Then he left.",
                "He said no.|npm was blamed.",
                "Use e.g. a hammer, i.e. a tool.|Then stop.",
                "We sell apples, pears, etc.|They are fresh.",
                "We sell apples, pears, etc. in boxes.",
                "Das gilt z. B. für Hunde.|Katzen sind frei.",
                "Das gilt z.B. für Hunde.|Katzen sind frei.",
                "Am 3. Mai 2024 beginnt der Kurs.|Er dauert zwei Tage.",
                "Im 19. Jahrhundert war das anders.|Heute nicht.",
                "Die Miete beträgt ca. 500 Euro inkl. Heizung bzw. Strom.|Der Rest ist frei.",
                "Vgl. Abb. 3 auf S. 12.|Das stimmt.",
                "In der Regel, d. h. meistens, gilt das.|Die Ausnahme ist selten.",
                "Das ist i. d. R. richtig.|Aber nicht immer.",
                "M. Dupont et Mme. Durand sont venus.|Ils sont partis.",
                "Les frais, p. ex. le train, sont payés.|Le reste non.",
                "Los gastos, p. ej. el tren, se pagan.|El Sr. García firma.",
                "Il sig. Rossi arriva alle 9.|La sig.ra Bianchi no.",
                "Version 2.1.3 fixes it.|Version 2.2 does not.",
                "Open config.yaml and set a.b.c to 1.|Save it.",
                "See https://example.org/a.b?c=d.|It helps.",
                "Is npm free?|npm is free.",
                "What is it?|It is a tool.",
                "Stop!|Do not go.",
                "Yahoo! is a company.|Google is too.",
                "\"Stop.\" he said.|He went.",
                "He said \"We stop.\"|Then he went.",
                "He said (see below.)|Then he went.",
                "The list goes on...|The next item is last.",
                "The list goes on... and on.",
                "The list goes on… and on.|It ends.",
                "J. R. R. Tolkien wrote it.|He was English.",
                "George W. Bush was there.|He left.",
                "Take plan B.|It works.",
                "Take vitamin C.|The rest is optional.",
                "The U.S. Army came.|It left.",
                "He lives in the U.S.|The city is small.",
                "价格是3.5元。^很便宜！^好吗？^好。",
                "「はい。」^彼は言った。^終わり。",
                "これは本です。^あれはペンです。",
                "यह किताब है।|वह कलम है।",
                "هل هذا كتاب؟|نعم هذا كتاب.",
                "The fee is 3.50 euros.|vat is included.",
                "Node.js is used.|node.js is fast.",
                "We use Node.js.|npm comes with it.",
                "Contact Acme Inc. in Bonn.|Acme Ltd. is closed.",
                "It costs approx. five euros excl. tax.|Pay soon.",
                "The dept. of physics is open.|the door is green.",
                "It is I.|Then go.",
                "Smith et al. (2020) showed it.|Jones et al. agreed.",
                "Run `a. b` first.|Then run `c`.",
                "No. 5 is alive.|No. 6 is not.",
                "Born on Jan. 5, 1990.|Died in Dec. 2020.",
                "Die Sitzung ist am 12. Oktober.|Der Raum ist offen.",
                "Die Firma hat 200 Mio. Euro Umsatz usw. gemacht.|Sie ist groß.",
                "Der Zug fährt um 8 Uhr.|iPads sind an Bord.",
                "Keep it in mind.|npm is fast.",
                "It was long ago.|eBay is older.",
                "The price is $5.|eBay takes 10 %.",
                "Read p. 5 and pp. 6-7.|Skip vol. 2.",
                "La reunión es a las 9 a. m. en la sala.|Todos vienen.",
                "EE. UU. firmó el acuerdo.|Fue en mayo.",
                "Die Regel steht in § 5 Abs. 3 Satz 2.|Sie gilt.",
                "The meeting starts at 9.|5 people come.",
                "He scored 3.|then he left."
            })
    void aPointEndsASentenceUnlessItBelongsToTheWord(String marked) {
        String text = marked.replace("|", " ").replace("^", "");
        assertThat(split(text)).containsExactly(marked.split("[|^]"));
    }

    @Test
    void aLineThatIsBrokenOnPurposeEndsASentence() {
        assertThat(split("Phone: 1  \nFax: 2\\\nRoom 3\nand 4"))
                .containsExactly("Phone: 1", "Fax: 2\\", "Room 3\nand 4");
    }

    @Test
    void theNumberOfANoteBelongsToItsSentence() {
        assertThat(split("It ends at noon.[^1] Then we go.")).containsExactly("It ends at noon.[^1]", "Then we go.");
    }

    @Test
    void commentsAreInNoSentence() {
        assertThat(split("It costs 45. <!-- was. 40. --> Children pay half."))
                .containsExactly("It costs 45.", "Children pay half.");
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
