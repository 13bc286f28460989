package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines as wide as a terminal. */
class WordWrapTest {

    private static final String NL = System.lineSeparator();

    @Test
    void linesAreBrokenBetweenWords() {
        assertThat(WordWrap.wrapped("The Argo was rowed by fifty heroes. [1]\n\nYes.", 20))
                .isEqualTo("The Argo was rowed\nby fifty heroes. [1]\n\nYes.");
    }

    @Test
    void anItemGoesOnBelowItsText() {
        assertThat(WordWrap.wrapped("- The Argo was rowed by fifty.\n12. The Argo was rowed by fifty.", 20))
                .isEqualTo("- The Argo was rowed\n  by fifty.\n12. The Argo was\n    rowed by fifty.");
    }

    @Test
    void codeAndTablesStayAsTheyAre() {
        String text = "```\nint rowers = 50; // fifty heroes, all of them\n```\n| boat | rowers of the boat |\n"
                + "    indented code that is long enough";

        assertThat(WordWrap.wrapped(text, 20)).isEqualTo(text);
    }

    @Test
    void aWordThatIsTooLongHasALineOfItsOwn() {
        assertThat(WordWrap.wrapped("see https://example.org/a/very/long/address now", 20))
                .isEqualTo("see\nhttps://example.org/a/very/long/address\nnow");
    }

    @Test
    void wideCharactersTakeTwoColumns() {
        assertThat(WordWrap.wrapped("漢".repeat(15), 20)).isEqualTo("漢".repeat(10) + "\n" + "漢".repeat(5));
        assertThat(WordWrap.columns("e\u0301漢")).isEqualTo(3);
        assertThat(WordWrap.cut("漢字漢字", 6)).isEqualTo("漢字…");
        assertThat(WordWrap.cut("abc", 3)).isEqualTo("abc");
        assertThat(WordWrap.cut("abcd", 3)).isEqualTo("ab…");
    }

    @Test
    void withoutAWidthNothingIsChanged() {
        String text = "one  two \n three ".repeat(30);
        assertThat(WordWrap.wrapped(text, 0)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void piecesGiveTheSameAsTheWhole(long seed) {
        Random random = new Random(seed); // named by the parameter
        String alphabet = "ab  c\n-`|漢1.";
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        WordWrap pieces = new WordWrap(24);
        StringBuilder shown = new StringBuilder();
        for (int at = 0; at < text.length(); ) {
            int end = Math.min(text.length(), at + 1 + random.nextInt(7));
            shown.append(pieces.append(text.substring(at, end)));
            at = end;
        }
        shown.append(pieces.end());

        assertThat(shown).hasToString(WordWrap.wrapped(text.toString(), 24));
        assertThat(shown.toString().replaceAll("\\s", ""))
                .isEqualTo(text.toString().replaceAll("\\s", ""));
    }

    @Test
    void aStatusIsNoWiderThanTheScreen() {
        StringWriter err = new StringWriter();
        new Progress(new PrintWriter(err), true, 20, new AtomicLong()::get).status("found ".repeat(10));

        assertThat(err.toString()).isEqualTo("\r\033[Kfound found found …");
    }

    @Test
    void anAnswerOnATerminalIsBrokenAndInAPipeIsNot() {
        StringWriter out = new StringWriter();
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        Terminal narrow = new Terminal(new ByteArrayInputStream(new byte[0]), true, false, 20);
        Terminal pipe = new Terminal(new ByteArrayInputStream(new byte[0]), false, false);

        new Output(new PrintWriter(out), nowhere, true, narrow).prose("The Argo was rowed by fifty.");
        new Output(new PrintWriter(out), nowhere, true, pipe).prose("The Argo was rowed by fifty.");

        assertThat(out.toString())
                .isEqualTo("The Argo was rowed" + NL + "by fifty." + NL + "The Argo was rowed by fifty." + NL);
    }
}
