package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CitationMarkersTest {

    @Test
    void marksOfEveryFormAreTakenOut() {
        CitationMarkers marks = CitationMarkers.of("A [1]. B[2][3] c [1, 4; 5] d [^2] e [Passage 3] f [2 and 3].");
        assertThat(marks.text()).isEqualTo("A. B c d e f.");
        assertThat(marks.marks())
                .extracting(CitationMarkers.Mark::numbers)
                .containsExactly(
                        List.of(1), List.of(2), List.of(3), List.of(1, 4, 5), List.of(2), List.of(3), List.of(2, 3));
        assertThat(marks.marks()).extracting(CitationMarkers.Mark::position).containsExactly(1, 4, 4, 6, 8, 10, 12);
    }

    @Test
    void otherBracketsStay() {
        String text = "A [link](x) and [1](http://x) and [n] and [12345] and [a 1] and [].";
        assertThat(CitationMarkers.of(text).text()).isEqualTo(text);
        assertThat(CitationMarkers.of(text).marks()).isEmpty();
    }
}
