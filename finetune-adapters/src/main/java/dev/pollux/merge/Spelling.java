package dev.pollux.merge;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the word that was meant. */
final class Spelling {

    private Spelling() {}

    /** {@code " (did you mean ties?)"}, or nothing if no known word is near. */
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

    /** In small letters, with one kind of line between words. */
    private static String plain(String word) {
        return word.strip().toLowerCase(Locale.ROOT).replace('-', '_').replace(' ', '_');
    }

    /** Insertions, deletions and replacements from {@code a} to {@code b} (Levenshtein 1966), at most 100. */
    private static int distance(String a, String b) {
        if (a.length() > 100 || b.length() > 100) {
            return 100;
        }
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
