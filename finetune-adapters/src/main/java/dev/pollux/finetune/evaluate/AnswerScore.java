package dev.pollux.finetune.evaluate;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How well an answer agrees with right ones, as SQuAD counts it (Rajpurkar et al., arXiv:1606.05250 and arXiv:1806.03822): texts
 * are compared in lower case, without ASCII punctuation and the words a, an and the, by words. The best of several right answers
 * counts, for each measure by itself. <em>Immutable.</em>
 *
 * @param exactMatch 1 if the texts are equal, else 0
 * @param tokenF1 harmonic mean of the shares of common words, in [0, 1]; for two empty texts 1, for one 0
 * @param contains 1 if the words of a right answer follow each other in the answer, else 0
 */
public record AnswerScore(double exactMatch, double tokenF1, double contains) {

    /** The score of an answer that says nothing. */
    public static final AnswerScore NONE = new AnswerScore(0, 0, 0);

    /**
     * Compares an answer.
     *
     * @param references right answers, at least one
     */
    public static AnswerScore of(String answer, Collection<String> references) {
        if (references.isEmpty()) {
            throw new IllegalArgumentException("references must not be empty; give at least one right answer");
        }
        List<String> words = words(answer);
        AnswerScore best = NONE;
        for (String reference : references) {
            List<String> right = words(reference);
            best = new AnswerScore(
                    Math.max(best.exactMatch, words.equals(right) ? 1 : 0),
                    Math.max(best.tokenF1, f1(words, right)),
                    Math.max(best.contains, contains(words, right) ? 1 : 0));
        }
        return best;
    }

    /** The words that are compared. */
    static List<String> words(String text) {
        StringBuilder kept = new StringBuilder();
        text.toLowerCase(Locale.ROOT)
                .codePoints()
                .filter(c -> !isPunctuation(c))
                .forEach(kept::appendCodePoint);
        return kept.toString()
                .codePoints()
                .collect(StringBuilder::new, (b, c) -> b.appendCodePoint(isSpace(c) ? ' ' : c), StringBuilder::append)
                .toString()
                .lines()
                .flatMap(line -> List.of(line.split(" ")).stream())
                .filter(word -> !word.isEmpty() && !word.equals("a") && !word.equals("an") && !word.equals("the"))
                .toList();
    }

    private static boolean isPunctuation(int c) {
        return c >= '!' && c <= '/' || c >= ':' && c <= '@' || c >= '[' && c <= '`' || c >= '{' && c <= '~';
    }

    private static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c);
    }

    private static double f1(List<String> a, List<String> b) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.equals(b) ? 1 : 0;
        }
        Map<String, Integer> left = new HashMap<>();
        b.forEach(word -> left.merge(word, 1, Integer::sum));
        int common = 0;
        for (String word : a) {
            int count = left.getOrDefault(word, 0);
            if (count > 0) {
                left.put(word, count - 1);
                common++;
            }
        }
        return 2.0 * common / (a.size() + b.size());
    }

    private static boolean contains(List<String> words, List<String> part) {
        for (int i = 0; i + part.size() <= words.size(); i++) {
            if (words.subList(i, i + part.size()).equals(part)) {
                return !part.isEmpty() || words.isEmpty();
            }
        }
        return false;
    }
}
