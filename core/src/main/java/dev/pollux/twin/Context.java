package dev.pollux.twin;

import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Set;

/**
 * The text that gives a line its context: the question that it answers, the lead-in of its list, the term that it defines,
 * the title of the document that it describes. <em>Immutable.</em>
 *
 * @param text the context on one line; empty if the line is self-contained
 * @param stems content words of the context, which count as the line's own
 * @param asks whether the line is itself a question and therefore states nothing on its subject
 * @param question index of the line with the question that this line answers; {@link #NONE} if it answers none; another
 *     negative value if the question precedes the passage or is a heading
 * @param lead index of the line that introduces its list, table or code; {@link #NONE} if there is none
 */
record Context(String text, Set<String> stems, boolean asks, int question, int lead) {

    static final int NONE = Integer.MIN_VALUE;

    private static final int LONGEST = 300;

    static Context of(List<String> parts, Language language, boolean asks, int question, int lead) {
        String text = String.join(
                " ", parts.stream().filter(part -> !part.isEmpty()).distinct().toList());
        String shown = text.length() <= LONGEST ? text : text.substring(0, text.offsetByCodePoints(0, LONGEST / 2));
        return new Context(shown, Set.copyOf(Words.contentStems(shown, language)), asks, question, lead);
    }

    boolean answers() {
        return question != NONE;
    }
}
