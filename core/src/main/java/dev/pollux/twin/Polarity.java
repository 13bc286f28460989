package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import dev.pollux.twin.EvidenceFinder.Found;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Puts sentences that deny first where the question does, and last where it does not. <em>Stateless, thread-safe.</em> */
final class Polarity {

    /*
     * A sentence and its opposite share all words but the negation, so neither words nor vectors part them. Where the question
     * denies and a sentence that denies scores nearly as well as the best, all others lose half, by which they are no longer
     * shown. Where it does not, sentences that deny lose a little: they may answer, but not before their opposite.
     */

    private static final double NEARLY = 0.75;

    private static final double OPPOSITE = 0.49;

    private static final double DENIED = 0.97;

    private Polarity() {}

    /** {@code ranked}, best first, scored anew. */
    static List<Found> ranked(List<Words.Word> question, List<Found> ranked) {
        boolean denies = question.stream().anyMatch(Words::isNegation);
        double best = ranked.isEmpty() ? 0 : ranked.get(0).score();
        boolean answered = ranked.stream().anyMatch(found -> denies(found) && found.score() >= NEARLY * best);
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

    private static boolean denies(Found found) {
        return found.line().words().stream().anyMatch(Words::isNegation);
    }
}
