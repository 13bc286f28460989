package dev.pollux.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InlineTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '%',
            value = {
                "The **bold** and *slanted* word ~ The bold and slanted word",
                "___all___ of it ~ all of it",
                "**a *b* c** ~ a b c",
                "snake_case_name and 2 * 3 * 4 ~ snake_case_name and 2 * 3 * 4",
                "a [link](http://x.y/(z) \"T\") b ~ a link b",
                "a [link][ref] and ![alt](p.png) ~ a link and alt",
                "[[Page|shown]] and [[Page]] ~ shown and Page",
                "a [note] stays, a note[^1] goes ~ a [note] stays, a note goes",
                "`rm *x*` stays `` a`b `` ~ `rm *x*` stays `` a`b ``",
                "Fish &amp; chips&nbsp;&#8212; 3 &lt; 4 &nope; ~ Fish & chips\u00A0— 3 < 4 &nope;",
                "1\\. no \\*list\\* ~ 1. no *list*",
                "a<br>b <b>c</b> x < y ~ a b c x < y",
                "<https://x.y> and <a@b.c> ~ https://x.y and a@b.c",
                "lone ** and ` stay ~ lone ** and ` stay",
            })
    void markUpIsShownAsAReaderSeesIt(String markdown, String shown) {
        assertThat(Inline.plain(markdown)).isEqualTo(shown);
    }

    @Test
    void struckTextKeepsItsMarks() {
        assertThat(Inline.plain("It costs ~~99~~ 45 euros.")).isEqualTo("It costs ~~99~~ 45 euros.");
    }

    @Test
    void lineEndsAreSpacesButBetweenIdeographs() {
        assertThat(Inline.plain("one\r\n   two\\\nthree")).isEqualTo("one two three");
        assertThat(Inline.plain("模型可\n以合并")).isEqualTo("模型可以合并");
        assertThat(Inline.plain("lower the sails\n> at sunset\n>> now", 2)).isEqualTo("lower the sails at sunset now");
    }
}
