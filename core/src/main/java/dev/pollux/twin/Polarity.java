package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import dev.pollux.twin.EvidenceFinder.Found;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Ranks sentences by whether their negations match those of the question. <em>Confined to one thread.</em> */
final class Polarity {

    /*
     * A sentence and its opposite share all words except the negation, so neither words nor vectors separate them.
     *
     *   question   sentence             factor of its score
     *   negated    negates the same     1
     *   negated    other                OPPOSITE: it is no longer quoted
     *   positive   negates one word     DENIED: it may answer, but after its opposite
     *   positive   other                1
     *
     * The factors apply only if a sentence that negates has a score of at least NEARLY * best.
     *
     * A negation in a sentence applies to the NEAR content words on either side, up to the next comma or point: "is not
     * covered", "deckt sie nicht", "no dogs are allowed". A negation in a question applies to the word after it, otherwise
     * to the word before it: "with no extra code" does not answer "What should never be used?".
     */

    private static final double NEARLY = 0.75;

    private static final double OPPOSITE = 0.49;

    private static final double DENIED = 0.97;

    private static final int NEAR = 3;

    private static final String BETWEEN_CLAUSES = ",;:.!?()–—。，、；：";

    private final boolean denies;
    private final Set<String> denied; // stems of the negated words, or of all words in a positive question

    private Polarity(String text, List<Words.Word> question) {
        this.denies = question.stream().anyMatch(Words::isNegation);
        this.denied = new HashSet<>();
        for (int i = 0; i < question.size(); i++) {
            if (denies && Words.isNegation(question.get(i))) {
                Set<String> after = near(text, question, i, 1, 1);
                denied.addAll(after.isEmpty() ? near(text, question, i, -1, 1) : after);
            } else if (!denies && question.get(i).content()) {
                denied.addAll(question.get(i).keys());
            }
        }
    }

    /**
     * Returns {@code ranked}, best first, with adjusted scores and in their order.
     *
     * @param words the words of {@code question}
     */
    static List<Found> ranked(String question, List<Words.Word> words, List<Found> ranked) {
        return new Polarity(question, words).ranked(ranked);
    }

    private List<Found> ranked(List<Found> ranked) {
        double best = ranked.isEmpty() ? 0 : ranked.get(0).score();
        boolean answered = ranked.stream().anyMatch(found -> found.score() >= NEARLY * best && denies(found));
        if (!answered) {
            return ranked;
        }
        List<Found> scored = new ArrayList<>();
        for (Found found : ranked) {
            double factor = denies(found) == denies ? 1 : denies ? OPPOSITE : DENIED;
            scored.add(new Found(found.source(), found.line(), found.score() * factor, found.excerpt()));
        }
        scored.sort(Comparator.comparingDouble(Found::score).reversed());
        return scored;
    }

    private boolean denies(Found found) {
        List<Words.Word> words = found.line().words();
        String text = found.line().text();
        for (int i = 0; i < words.size(); i++) {
            if (Words.isNegation(words.get(i)) && (denied.isEmpty() || deniesAt(text, words, i))) {
                return true;
            }
        }
        return false;
    }

    private boolean deniesAt(String text, List<Words.Word> words, int negation) {
        return near(text, words, negation, 1, NEAR).stream().anyMatch(denied::contains)
                || near(text, words, negation, -1, NEAR).stream().anyMatch(denied::contains);
    }

    /** The stems of the next content words in one direction, at most {@code most}, within the clause. */
    private static Set<String> near(String text, List<Words.Word> words, int from, int step, int most) {
        Set<String> stems = new HashSet<>();
        int count = 0;
        for (int i = from + step; i >= 0 && i < words.size() && count < most; i += step) {
            int gap = step > 0 ? words.get(i - 1).end() : words.get(i).end();
            int end = step > 0 ? words.get(i).start() : words.get(i + 1).start();
            if (gap < end && text.substring(gap, end).chars().anyMatch(c -> BETWEEN_CLAUSES.indexOf(c) >= 0)) {
                break;
            }
            if (words.get(i).content()) {
                stems.addAll(words.get(i).keys());
                count++;
            }
        }
        return stems;
    }
}
