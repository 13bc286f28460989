package dev.pollux.twin;

import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Set;

/**
 * What a line is read with and says its part of: the question that it answers, what leads into its list, the term that it
 * defines, the title of the document that it describes. <em>Immutable.</em>
 *
 * @param text on one line; empty where a line stands on its own
 * @param stems its words that carry meaning, which count as the line's own
 * @param asks whether the line is a question itself, which says nothing on its subject
 * @param question index of the line with the question that it answers; {@link #NONE} where it answers none, negative too
 *     where the question stands before the passage or in a heading
 * @param lead index of the line that leads into its list, table or code; {@link #NONE} where there is none
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
