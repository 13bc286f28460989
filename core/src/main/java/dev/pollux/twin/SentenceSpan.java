package dev.pollux.twin;

import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Set;

/**
 * A sentence of a passage.
 *
 * @param index its position among the passage's sentences, from 0
 * @param range its position in the passage's text
 * @param quote verbatim except for invisible text
 * @param text the quote for display: without line ends and inline mark-up, a table row with the column names
 * @param words all words of the text
 * @param stems the content words of the text
 * @param section the headings above it
 * @param context the text that gives it its context
 */
record SentenceSpan(
        int index,
        Sentence range,
        String quote,
        String text,
        List<Words.Word> words,
        Set<String> stems,
        EvidencePassage.Section section,
        Context context) {

    /** Whether it can be evidence. A heading only names a subject and a question only asks; neither states anything. */
    boolean isStatement() {
        return range.kind() != Sentence.Kind.HEADING
                && !context.asks()
                && !words.isEmpty()
                && (!stems.isEmpty() || context.answers());
    }

    /** The text to compare with a question: the context, then the line. */
    String compared() {
        return context.text().isEmpty() ? text : context.text() + " " + text;
    }

    /** Whether the line or its context contains a stem. */
    boolean holds(String stem) {
        return stems.contains(stem) || context.stems().contains(stem);
    }
}
