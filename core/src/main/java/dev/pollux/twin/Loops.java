package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Locale;

/** Tells a text that turns in circles. <em>Stateless, thread-safe.</em> */
final class Loops {

    /** The end of a text that is looked at, in characters: room for a loop of sixty words. */
    static final int REACH = 1_200;

    /** A run of words that a text does not say twice by chance. */
    private static final int LONG_RUN = 10;

    /** Words of a short loop that is said three times in a row, all times together. */
    private static final int SHORT_LOOP = 9;

    private Loops() {}

    /** Whether the last words were said before: ten in a row, or fewer three times in a row. */
    static boolean endIn(String text) {
        List<String> words = Words.of(text.substring(Math.max(0, text.length() - REACH))).stream()
                .map(word -> word.text().toLowerCase(Locale.ROOT))
                .toList();
        return isRepeated(words) || isThreefold(words);
    }

    private static boolean isRepeated(List<String> words) {
        int from = words.size() - LONG_RUN;
        for (int i = 0; i + LONG_RUN <= from; i++) {
            if (words.subList(i, i + LONG_RUN).equals(words.subList(from, words.size()))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isThreefold(List<String> words) {
        int size = words.size();
        for (int period = 1; period < LONG_RUN && 3 * period <= size; period++) {
            int times = Math.max(3, (SHORT_LOOP + period - 1) / period);
            boolean same = times * period <= size;
            for (int i = size - period * (times - 1) - 1; same && i >= size - period * times; i--) {
                for (int k = 1; k < times && same; k++) {
                    same = words.get(i).equals(words.get(i + k * period));
                }
            }
            if (same) {
                return true;
            }
        }
        return false;
    }
}
