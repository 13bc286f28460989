package dev.pollux.twin;

import dev.pollux.retrieval.Passage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A retrieved passage, read: its sentences, their words, its headings' words. <em>Immutable.</em> */
final class Source {

    /**
     * A sentence of the passage.
     *
     * @param index its place among the passage's sentences, from 0
     * @param range where it stands in the passage's text
     * @param quote verbatim
     * @param words all its words
     * @param stems those that carry meaning
     */
    record Line(int index, Sentence range, String quote, List<Words.Word> words, Set<String> stems) {

        /** Whether it can be evidence: a heading names a subject and says nothing about it. */
        boolean isStatement() {
            return range.kind() != Sentence.Kind.HEADING && !stems.isEmpty();
        }
    }

    private final Passage passage;
    private final List<Line> lines;
    private final Set<String> headingStems;

    private Source(Passage passage, List<Line> lines) {
        this.passage = passage;
        this.lines = List.copyOf(lines);
        this.headingStems = Words.contentStems(passage.heading());
    }

    static Source of(Passage passage) {
        String text = passage.text();
        List<Line> lines = new ArrayList<>();
        for (Sentence range : Sentences.of(text)) {
            String quote = range.of(text);
            List<Words.Word> words = Words.of(quote);
            Set<String> stems = new HashSet<>();
            words.stream().filter(Words.Word::content).map(Words.Word::stem).forEach(stems::add);
            lines.add(new Line(lines.size(), range, quote, words, Set.copyOf(stems)));
        }
        return new Source(passage, lines);
    }

    Passage passage() {
        return passage;
    }

    List<Line> lines() {
        return lines;
    }

    Set<String> headingStems() {
        return headingStems;
    }

    Citation cite(int number, Line line) {
        return new Citation(
                number,
                passage.document(),
                passage.heading(),
                passage.firstLine() + lineEnds(line.range().start()),
                passage.firstLine() + lineEnds(line.range().end()),
                line.quote());
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
