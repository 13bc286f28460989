package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Locale;

/** Detects a text that repeats itself. <em>Stateless, thread-safe.</em> */
final class Loops {

    /*
     * Two criteria at the end of the last REACH characters, on words in lower case:
     *
     *   run    the last LONG_RUN words occur earlier, without overlap
     *   loop   the last p words, p < LONG_RUN, are repeated t times in a row, t = max(3, ceil(SHORT_LOOP / p))
     *
     * "and so on and so on and so on" is a loop (p = 3, t = 3); "no no no" is not (p = 1, t = 9).
     */

    /** Number of characters at the end of a text that are examined; a loop of sixty words fits. */
    static final int REACH = 1_200;

    /** Minimum number of words in a run that no text repeats by chance. */
    private static final int LONG_RUN = 10;

    /** Minimum number of words in all repetitions of a short loop together. */
    private static final int SHORT_LOOP = 9;

    private Loops() {}

    /** Whether the last ten words occurred before, or a shorter run is repeated at least three times in a row. */
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
