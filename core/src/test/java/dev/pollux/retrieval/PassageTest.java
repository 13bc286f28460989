package dev.pollux.retrieval;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Passages that a host makes itself. */
class PassageTest {

    @Test
    @SuppressWarnings("NullAway") // what reflective code of a host gives
    void aPassageWithoutALocationCountsItsOwnLines() {
        Passage passage = new Passage("a#1", "a.md", List.of(), "One.\nTwo.\nThree.", 0, 16, null, Map.of());
        assertThat(passage.location()).isEqualTo(Location.lines(1, 3));
    }
}
