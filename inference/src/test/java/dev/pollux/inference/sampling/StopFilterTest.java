package dev.pollux.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopFilterTest {

    @Test
    void holdsBackWhatMayBecomeAStopString() {
        StopFilter filter = StopFilter.of(List.of("END"));
        assertThat(filter.push("text E")).isEqualTo("text ");
        assertThat(filter.push("N")).isEmpty();
        assertThat(filter.push("T")).isEqualTo("ENT");
        assertThat(filter.push("EN")).isEmpty();
        assertThat(filter.flush()).isEqualTo("EN");
        assertThat(filter.stopped()).isFalse();
    }

    @Test
    void endsAtTheFirstStopStringAndForgetsTheRest() {
        StopFilter filter = StopFilter.of(List.of("</s>", "\n\n"));
        assertThat(filter.push("one\n\ntwo</s>")).isEqualTo("one");
        assertThat(filter.stopped()).isTrue();
        assertThat(filter.push("three")).isEmpty();
        assertThat(filter.flush()).isEmpty();
    }

    @Test
    void piecesOfAnySizeGiveWhatTheWholeTextGives() {
        long seed = 17;
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            StringBuilder text = new StringBuilder();
            random.ints(40, 'a', 'd').forEach(c -> text.append((char) c));
            String stop = text.substring(20, 21 + random.nextInt(4));
            StopFilter filter = StopFilter.of(List.of(stop, "dddddd"));
            StringBuilder out = new StringBuilder();
            for (int at = 0; at < text.length(); ) {
                int next = Math.min(text.length(), at + 1 + random.nextInt(5));
                out.append(filter.push(text.substring(at, next)));
                at = next;
            }
            out.append(filter.flush());
            int cut = text.indexOf(stop);
            assertThat(out.toString())
                    .as("seed %d, stop %s in %s", seed, stop, text)
                    .isEqualTo(text.substring(0, cut));
        }
    }
}
