package dev.pollux.finetune.merge;

import dev.pollux.internal.text.EditDistance;
import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Suggests corrections of misspelled words. */
final class Spelling {

    /** Maximum length of a word; longer ones would take too long. */
    private static final int LONGEST = 100;

    private Spelling() {}

    /** {@code " (did you mean ties?)"}, or an empty text if no known word is similar. */
    static String hint(String word, Collection<String> known) {
        return nearest(word, known).map(near -> " (did you mean " + near + "?)").orElse("");
    }

    private static Optional<String> nearest(String word, Collection<String> known) {
        String small = plain(word);
        return known.stream()
                .filter(candidate ->
                        !candidate.equals(word) && distance(small, plain(candidate)) <= Math.max(2, word.length() / 4))
                .min(Comparator.comparingInt((String candidate) -> distance(small, plain(candidate)))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /** Lower case, with one kind of separator between words. */
    private static String plain(String word) {
        return word.strip().toLowerCase(Locale.ROOT).replace('-', '_').replace(' ', '_');
    }

    /** The edit distance; {@value #LONGEST} if a word is longer. */
    private static int distance(String a, String b) {
        return a.length() > LONGEST || b.length() > LONGEST ? LONGEST : EditDistance.of(a, b);
    }
}
