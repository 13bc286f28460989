package dev.pollux.twin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MarksTest {

    @Test
    void marksOfEveryFormAreTakenOut() {
        Marks marks = Marks.of("A [1]. B[2][3] c [1, 4; 5] d [^2] e [Passage 3] f [2 and 3].");
        assertThat(marks.text()).isEqualTo("A. B c d e f.");
        assertThat(marks.marks())
                .extracting(Marks.Mark::numbers)
                .containsExactly(
                        List.of(1), List.of(2), List.of(3), List.of(1, 4, 5), List.of(2), List.of(3), List.of(2, 3));
        assertThat(marks.marks()).extracting(Marks.Mark::position).containsExactly(1, 4, 4, 6, 8, 10, 12);
    }

    @Test
    void otherBracketsStay() {
        String text = "A [link](x) and [1](http://x) and [n] and [12345] and [a 1] and [].";
        assertThat(Marks.of(text).text()).isEqualTo(text);
        assertThat(Marks.of(text).marks()).isEmpty();
    }

    @Test
    void resolvedMarksHaveOneKnownNumberEach() {
        assertThat(Marks.resolved("A [1, 9, 2]. B [9]. C[3]", Set.of(1, 2, 3))).isEqualTo("A [1][2]. B. C[3]");
    }

    @Test
    void aStreamNeverShowsHalfAMarkAndLosesNothing() {
        String text = "A [1, 2] b [9] c [see below] d [" + "x".repeat(60) + "] [3] e [";
        String whole = Marks.resolved(text, Set.of(1, 2, 3));
        for (int size = 1; size < 12; size++) {
            MarkStream stream = new MarkStream(Set.of(1, 2, 3));
            StringBuilder shown = new StringBuilder();
            for (int i = 0; i < text.length(); i += size) {
                shown.append(stream.append(text.substring(i, Math.min(text.length(), i + size))));
                assertThat(whole).startsWith(shown.toString());
            }
            assertThat(shown.append(stream.end()).toString()).isEqualTo(whole);
        }
    }
}
