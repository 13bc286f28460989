package dev.pollux.twin;

import dev.pollux.twin.Term.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A dated change of a value: <em>the fee goes from 20 to 35 euros on 1 July 2026</em>. It implies 20 euros before that day
 * and 35 euros from that day, and nothing on the current fee. <em>Immutable.</em>
 *
 * @param before the value before {@code day}
 * @param after the value from {@code day} on
 * @param day the date of the change
 * @param rest the other terms of the sentence: the subject of the change
 */
record Change(Term before, Term after, Term day, List<Term> rest) {

    /** Verbs that state a value; the source need not contain them. */
    private static final Set<String> BEING = Set.of("cost", "amount", "total");

    private static final Set<String> UNTIL = Set.of("before", "until", "till", "to");

    private static final Set<String> SINCE = Set.of("from", "since", "after", "of", "on");

    private static final Set<String> WITHIN = Set.of("in", "on", "at", "during");

    /** The first dated change in a sentence. */
    static Optional<Change> of(Statement source) {
        List<Term> terms = source.terms();
        for (int from = 0; from < terms.size(); from++) {
            int to = from + 1;
            while (to < terms.size() && terms.get(to).kind() == Kind.UNIT) {
                to++;
            }
            Optional<Term> day = terms.stream()
                    .filter(term -> term.kind() == Kind.DATE
                            && !term.link().prepositions().isEmpty())
                    .findFirst();
            if (to < terms.size()
                    && day.isPresent()
                    && isValue(terms.get(from), "from")
                    && isValue(terms.get(to), "to")) {
                Term before = terms.get(from);
                Term after = terms.get(to);
                List<Term> rest = new ArrayList<>(terms);
                rest.removeIf(term -> term.isValue());
                return Optional.of(new Change(before, after, day.get(), List.copyOf(rest)));
            }
        }
        return Optional.empty();
    }

    private static boolean isValue(Term term, String preposition) {
        List<String> prepositions = term.link().prepositions();
        return term.kind() == Kind.NUMBER
                && !prepositions.isEmpty()
                && prepositions.get(prepositions.size() - 1).equals(preposition);
    }

    /**
     * Whether the change implies a claim with one of the two values and a time.
     *
     * <p><em>Before 1 July 2026 the fee is 20 euros</em> passes; <em>The fee is 20 euros</em> fails.
     */
    boolean says(Statement claim) {
        List<Term> dates = claim.terms().stream().filter(this::isDate).toList();
        List<Term> values = claim.terms().stream()
                .filter(term -> term.kind() == Kind.NUMBER && !dates.contains(term))
                .toList();
        boolean plain = claim.terms().stream()
                .noneMatch(term -> term.link().negated() || term.link().has(Term.Trait.CONDITIONAL));
        if (dates.size() != 1 || values.size() != 1 || !plain || !saysOfSame(claim)) {
            return false;
        }
        return values.get(0).key().equals(after.key())
                ? isAfter(dates.get(0))
                : values.get(0).key().equals(before.key()) && isBefore(dates.get(0));
    }

    /** Whether a term is a date, or a year alone that is neither of the two values. */
    private boolean isDate(Term term) {
        boolean year = term.key().length() == 4
                && term.kind() == Kind.NUMBER
                && !term.key().equals(before.key())
                && !term.key().equals(after.key());
        return term.kind() == Kind.DATE || year;
    }

    /** Whether the source contains all other terms of the claim in the same order. */
    private boolean saysOfSame(Statement claim) {
        List<Term> said = claim.terms().stream()
                .filter(term -> !term.isValue() && !BEING.contains(term.key()))
                .toList();
        Statement same = new Statement(said, Term.Link.NONE);
        Alignment alignment = Alignment.of(same, new Statement(rest, Term.Link.NONE));
        Set<Kind> kinds = said.stream().map(Term::kind).collect(Collectors.toSet());
        return alignment.pairs() == said.size() && (kinds.contains(Kind.WORD) || kinds.contains(Kind.NAME));
    }

    private boolean isBefore(Term date) {
        int order = Dates.compare(key(date), day.key());
        boolean sameDay = key(date).equals(day.key());
        String preposition = preposition(date);
        return UNTIL.contains(preposition) && (order < 0 || sameDay) || WITHIN.contains(preposition) && order < 0;
    }

    private boolean isAfter(Term date) {
        int order = Dates.compare(key(date), day.key());
        String preposition = preposition(date);
        return (SINCE.contains(preposition) || WITHIN.contains(preposition))
                && (order > 0 || key(date).equals(day.key()));
    }

    private static String key(Term date) {
        return date.kind() == Kind.DATE ? date.key() : date.key() + "-?-?";
    }

    private static String preposition(Term date) {
        List<String> prepositions = date.link().prepositions();
        return prepositions.isEmpty() ? "" : prepositions.get(prepositions.size() - 1);
    }
}
