package dev.pollux.twin;

import dev.pollux.internal.text.Headings;
import dev.pollux.internal.text.Inline;
import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import dev.pollux.internal.text.Words;
import dev.pollux.retrieval.Passage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A retrieved passage, read: its sentences, their words, the headings above each. <em>Immutable.</em> */
final class Source {

    /**
     * A sentence of the passage.
     *
     * @param index its place among the passage's sentences, from 0
     * @param range where it stands in the passage's text
     * @param quote verbatim but for what no reader sees
     * @param text the same without line ends and inline mark-up
     * @param words all words of that text
     * @param stems those that carry meaning
     * @param section what it stands under
     */
    record Line(
            int index,
            Sentence range,
            String quote,
            String text,
            List<Words.Word> words,
            Set<String> stems,
            Section section) {

        /** Whether it can be evidence: a heading names a subject and says nothing about it. */
        boolean isStatement() {
            return range.kind() != Sentence.Kind.HEADING && !stems.isEmpty();
        }
    }

    /**
     * The headings above a line.
     *
     * @param heading the passage's and those between its beginning and the line, outermost first, as one line
     * @param stems their words that carry meaning
     */
    record Section(String heading, Set<String> stems) {

        private static Section of(List<String> headings) {
            String heading = String.join(" > ", headings);
            return new Section(heading, Words.contentStems(heading));
        }
    }

    private final Passage passage;
    private final List<Line> lines;

    private Source(Passage passage, List<Line> lines) {
        this.passage = passage;
        this.lines = List.copyOf(lines);
    }

    static Source of(Passage passage) {
        String lead = passage.lead();
        String whole = lead + passage.text();
        Reading reading = passage.start() == 0
                ? Reading.of(whole, passage.mediaType())
                : Reading.ofPart(whole, passage.mediaType());
        List<Line> lines = new ArrayList<>();
        Headings headings = new Headings(passage.headings());
        Section section = Section.of(passage.headings());
        for (Sentence sentence : Sentences.of(reading)) {
            String quote = reading.visible(sentence.start(), sentence.end());
            String text = sentence.kind() == Sentence.Kind.CODE
                    ? quote
                    : Inline.plain(quote, sentence.block().place().quotes());
            if (sentence.level() > 0) {
                section = Section.of(headings.below(sentence.level(), text));
            }
            if (sentence.start() >= lead.length()) {
                lines.add(line(lines.size(), sentence, lead.length(), quote, text, section));
            }
        }
        return new Source(passage, lines);
    }

    private static Line line(int index, Sentence sentence, int lead, String quote, String text, Section section) {
        Sentence range = new Sentence(
                sentence.start() - lead, sentence.end() - lead, sentence.kind(), sentence.level(), sentence.block());
        List<Words.Word> words = Words.of(text);
        Set<String> stems = new HashSet<>();
        words.stream().filter(Words.Word::content).map(Words.Word::stem).forEach(stems::add);
        return new Line(index, range, quote, text, words, Set.copyOf(stems), section);
    }

    Passage passage() {
        return passage;
    }

    List<Line> lines() {
        return lines;
    }

    Citation cite(int number, Line line) {
        return new Citation(
                number,
                passage.origin(),
                line.section().heading(),
                passage.firstLine() + lineEnds(line.range().start()),
                passage.firstLine() + lineEnds(line.range().end()),
                line.quote(),
                line.text(),
                "");
    }

    /** Line ends before a character of the passage's text; CR LF, LF and CR are one each. */
    private int lineEnds(int offset) {
        String text = passage.text();
        int count = 0;
        for (int i = 0; i < offset; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' && (i + 1 == text.length() || text.charAt(i + 1) != '\n')) {
                count++;
            }
        }
        return count;
    }
}
