package dev.pollux.internal.text;

/** How far two words are apart. */
public final class EditDistance {

    private EditDistance() {}

    /**
     * The fewest insertions, deletions, replacements and swaps of two neighbours that make one word of the other, where no part
     * is edited twice: the optimal string alignment distance (restricted Damerau-Levenshtein). O(|a|·|b|) time.
     */
    public static int of(String a, String b) {
        int[] before = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(last[j], row[j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                row[j] = swapped ? Math.min(row[j], before[j - 2] + 1) : row[j];
            }
            before = last;
            last = row;
        }
        return last[b.length()];
    }
}
