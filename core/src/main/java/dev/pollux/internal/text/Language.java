package dev.pollux.internal.text;

import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * The words of one language. <em>Immutable, thread-safe.</em>
 *
 * @param code ISO 639-1, such as {@code de}; empty for a text of no known language
 * @param functionWords words that say nothing on a subject, as {@link Folding#form} writes them
 * @param stemmer from such a form to its stem, which need not be a word
 */
public record Language(String code, Set<String> functionWords, UnaryOperator<String> stemmer) {

    /** Languages whose decimals follow a point; elsewhere they follow a comma. */
    private static final Set<String> POINT =
            Set.of("", "en", "zh", "ja", "ko", "th", "he", "hi", "ar", "fa", "ga", "ne", "bn", "ta", "te");

    private static final Set<String> COMPOUNDS = Set.of("de", "nl", "sv", "da", "no", "fi", "hu", "et");

    public Language {
        functionWords = Set.copyOf(functionWords);
    }

    /** Whether it writes compounds as one word, so that a word may be found in a longer one. */
    public boolean compounds() {
        return COMPOUNDS.contains(code);
    }

    boolean decimalComma() {
        return !POINT.contains(code);
    }
}
