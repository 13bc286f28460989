package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Passage;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Twin;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How an answer is shown while it is written. */
@NoLeaks
class AnswersTest {

    private static final String NL = System.lineSeparator();

    private static final String DOCUMENT =
            "The ferry leaves at noon. Bicycles travel free on the ferry. Dogs pay half the fare on the ferry.";

    /** What was on the screen whenever something new was. */
    private static final class Screen extends StringWriter {

        private final List<String> seen = new ArrayList<>();

        @Override
        public void flush() {
            if (seen.isEmpty() || !seen.get(seen.size() - 1).equals(toString())) {
                seen.add(toString());
            }
        }
    }

    private final Screen out = new Screen();
    private final Screen err = new Screen();

    private void read(String written, boolean printed, boolean draft) {
        Passage passage =
                new Passage("1", "ferry.md", List.of(), DOCUMENT, 0, DOCUMENT.length(), Location.lines(1, 1), Map.of());
        Terminal terminal = new Terminal(new ByteArrayInputStream(new byte[0]), false, false);
        try (FakeGenerator generator = FakeGenerator.saying(written);
                AnswerStream stream =
                        Twin.builder()
                                .retriever(query -> List.of(new Hit(passage, 1)))
                                .generator(generator)
                                .build()
                                .stream("What do the rules of the ferry say on bicycles and dogs?")) {
            Answers.read(stream, new Output(writer(out), writer(err), false, terminal), printed, draft);
        }
    }

    private static PrintWriter writer(Writer to) {
        return new PrintWriter(to);
    }

    @Test
    void eachSentenceIsPrintedWhenItHasPassed() {
        read(
                "Bicycles travel free on the ferry. Bicycles pay double. Dogs pay half the fare on the ferry.",
                true,
                false);
        assertThat(out.seen)
                .containsExactly(
                        "Bicycles travel free on the ferry [1].",
                        "Bicycles travel free on the ferry [1]. Dogs pay half the fare on the ferry [2].",
                        "Bicycles travel free on the ferry [1]. Dogs pay half the fare on the ferry [2]." + NL);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void aDraftIsShownApartAndTheAnswerNotInIt() {
        read("Bicycles travel free on the ferry.", false, true);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).isEqualTo("Bicycles travel free on the ferry." + NL);
    }
}
