package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LoopsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no no no no no no no no no",
                "it is the end of the car park of the car park of the car park",
                "The boat of the king is old. The boat of the king is old. The boat of the king is old.",
                "The first of all things that a rower learns is to sit still, and the rest comes from the water. So"
                        + " the first of all things that a rower learns is to sit still"
            })
    void whatIsSaidAgainIsALoop(String text) {
        assertThat(Loops.endIn(text)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "very very good",
                "The fee for Rome is 45 euros. The fee for Oslo is 70 euros. The fee for Bern is 90 euros.",
                "again and again and again, they rowed",
                "1. Open the file. 2. Open the door. 3. Open the box. 4. Open the lid."
            })
    void whatIsAlikeIsNone(String text) {
        assertThat(Loops.endIn(text)).isFalse();
    }

    @Test
    void onlyTheEndIsLookedAt() {
        assertThat(Loops.endIn("so so so so so so so so so it goes on")).isFalse();
    }
}
