package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Checks written sentences against the passages that the model was given; the rule is in {@link Twin}'s Javadoc.
 * <em>Thread-safe.</em>
 */
final class Grounding {

    /** A negation bears on this many words after it. */
    private static final int REACH = 3;

    /** What holds a sentence up: a sentence of a passage. */
    record Support(TwinPrompt.Packed packed, Source.Line line) {}

    /**
     * What became of a sentence.
     *
     * @param words its content words, counted once each
     * @param supports what it rests on; empty where it is not supported
     * @param reason why it is not supported; empty where it is
     */
    record Verdict(int words, List<Support> supports, String reason) {

        boolean supported() {
            return reason.isEmpty();
        }
    }

    private final List<TwinPrompt.Packed> passages;
    private final double minSupport;
    private final Set<String> own;
    private final Set<String> knownWords = new HashSet<>();
    private final Set<String> knownStems = new HashSet<>();

    /** @param own words that need no source, such as the twin's name */
    Grounding(List<TwinPrompt.Packed> passages, double minSupport, String own) {
        this.passages = List.copyOf(passages);
        this.minSupport = minSupport;
        this.own = Words.of(own).stream().map(Words.Word::stem).collect(Collectors.toSet());
        for (TwinPrompt.Packed packed : passages) {
            know(Words.of(packed.source().passage().heading()));
            know(Words.of(packed.source().passage().document()));
            lines(packed).forEach(line -> know(line.words()));
        }
    }

    Verdict check(String sentence, List<Integer> cited) {
        List<Words.Word> words = Words.of(sentence);
        Set<String> stems = new LinkedHashSet<>();
        words.stream()
                .filter(word -> word.content() && !own.contains(word.stem()))
                .forEach(word -> stems.add(word.stem()));
        if (stems.isEmpty()) {
            return new Verdict(0, List.of(), "it says nothing that a passage could hold");
        }
        Optional<String> unknown = unknownNumber(words).or(() -> unknownName(sentence, words));
        if (unknown.isPresent()) {
            return new Verdict(stems.size(), List.of(), unknown.get());
        }
        return supported(words, stems, cited);
    }

    private Verdict supported(List<Words.Word> words, Set<String> stems, List<Integer> cited) {
        List<TwinPrompt.Packed> named = passages.stream()
                .filter(packed -> cited.contains(packed.number()))
                .toList();
        List<Support> supports = supports(named, stems);
        if (share(stems, supports) < minSupport) {
            supports = passages.stream()
                    .map(packed -> supports(List.of(packed), stems))
                    .max(Comparator.comparingDouble(found -> share(stems, found)))
                    .orElse(List.of());
        }
        double share = share(stems, supports);
        if (supports.isEmpty() || share < minSupport) {
            return new Verdict(
                    stems.size(),
                    List.of(),
                    "no sentence of the passages holds more than " + Math.round(100 * share) + " % of its words; "
                            + Math.round(100 * minSupport) + " % are required");
        }
        List<Support> found = supports;
        Support strongest = found.stream()
                .max(Comparator.comparingInt(
                        support -> shared(stems, support.line().stems())))
                .orElseThrow();
        return contradiction(words, strongest.line().words())
                .map(stem -> new Verdict(
                        stems.size(), List.of(), "it and its source disagree on a negation before '" + stem + "'"))
                .orElseGet(() -> new Verdict(stems.size(), List.copyOf(found), ""));
    }

    private Optional<String> unknownNumber(List<Words.Word> words) {
        return words.stream()
                .filter(word -> word.isNumber() && !knownStems.contains(word.stem()))
                .map(word -> "the number " + word.text() + " is in no passage")
                .findFirst();
    }

    private Optional<String> unknownName(String sentence, List<Words.Word> words) {
        for (int i = 0; i < words.size(); i++) {
            Words.Word word = words.get(i);
            boolean known = knownWords.contains(word.text().toLowerCase(Locale.ROOT))
                    || knownStems.contains(word.stem())
                    || own.contains(word.stem());
            if (word.content() && !known && isName(sentence, words, i)) {
                return Optional.of("the name " + word.text() + " is in no passage");
            }
        }
        return Optional.empty();
    }

    /** Capitalised where no clause begins, or with a capital inside the word. */
    private static boolean isName(String sentence, List<Words.Word> words, int i) {
        Words.Word word = words.get(i);
        if (word.text().codePoints().skip(1).anyMatch(Character::isUpperCase)) {
            return true;
        }
        return Character.isUpperCase(word.text().codePointAt(0))
                && i > 0
                && !opens(sentence, words.get(i - 1).end(), word.start());
    }

    /** Whether what stands between two words begins a new clause, whose first word may be capitalised for that. */
    private static boolean opens(String sentence, int from, int to) {
        return sentence.substring(from, to).chars().anyMatch(c -> ":.!?\"“(*\n".indexOf(c) >= 0);
    }

    /** A stem that both sentences use, one of them only under a negation and the other never. */
    private static Optional<String> contradiction(List<Words.Word> claim, List<Words.Word> source) {
        Set<String> claimDenied = stems(claim, true);
        Set<String> claimHeld = stems(claim, false);
        Set<String> sourceDenied = stems(source, true);
        Set<String> sourceHeld = stems(source, false);
        return claim.stream()
                .filter(Words.Word::content)
                .map(Words.Word::stem)
                .filter(stem -> only(stem, claimDenied, claimHeld) && only(stem, sourceHeld, sourceDenied)
                        || only(stem, claimHeld, claimDenied) && only(stem, sourceDenied, sourceHeld))
                .findFirst();
    }

    private static boolean only(String stem, Set<String> in, Set<String> notIn) {
        return in.contains(stem) && !notIn.contains(stem);
    }

    private static Set<String> stems(List<Words.Word> words, boolean denied) {
        Set<String> stems = new HashSet<>();
        int reach = 0;
        for (Words.Word word : words) {
            if (Words.isNegation(word)) {
                reach = REACH;
            } else {
                if (word.content() && reach > 0 == denied) {
                    stems.add(word.stem());
                }
                reach--;
            }
        }
        return stems;
    }

    /** The share of {@code stems} that stands in the supports or in the headings above them. */
    private static double share(Set<String> stems, List<Support> supports) {
        Set<String> held = new HashSet<>();
        for (Support support : supports) {
            held.addAll(support.line().stems());
            held.addAll(support.line().section().stems());
        }
        return (double) shared(stems, held) / stems.size();
    }

    /** Of each passage the sentence that holds most of {@code stems}; of none that holds nothing. */
    private static List<Support> supports(List<TwinPrompt.Packed> among, Set<String> stems) {
        List<Support> supports = new ArrayList<>();
        for (TwinPrompt.Packed packed : among) {
            Support best = null;
            double most = 0;
            for (Source.Line line : lines(packed)) {
                Support support = new Support(packed, line);
                double share = share(stems, List.of(support));
                if (line.isStatement() && share > most && shared(stems, line.stems()) > 0) {
                    best = support;
                    most = share;
                }
            }
            if (best != null) {
                supports.add(best);
            }
        }
        return supports;
    }

    private static int shared(Set<String> stems, Set<String> held) {
        return (int) stems.stream().filter(held::contains).count();
    }

    private static List<Source.Line> lines(TwinPrompt.Packed packed) {
        return packed.source().lines().stream().filter(packed::holds).toList();
    }

    private void know(List<Words.Word> words) {
        for (Words.Word word : words) {
            knownWords.add(word.text().toLowerCase(Locale.ROOT));
            knownStems.add(word.stem());
        }
    }
}
