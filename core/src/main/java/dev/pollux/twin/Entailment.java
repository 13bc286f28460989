package dev.pollux.twin;

import dev.pollux.twin.Alignment.Gap;
import dev.pollux.twin.Term.Kind;
import dev.pollux.twin.Term.Link;
import dev.pollux.twin.Term.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Decides whether a source supports a claim, by words and their order. <em>Confined to one thread.</em> */
final class Entailment {

    /*
     * Invariant: the claim may say less than its source, and nothing else. Alignment pairs the terms in order; every
     * difference is then in a gap between pairs, and each kind of gap has its rule:
     *
     *   claim has terms         only words that no passage contains; the caller limits their number. Never a number, date,
     *                           name, unit, qualifier or word of another sentence
     *   both have terms         never: the claim exchanged a word
     *   source has terms        the claim omits something. Inside a clause it may omit a phrase with its preposition, or
     *                           modifiers between an article and its noun. Across clauses it may omit only whole parts of
     *                           the same form as the next part
     *   before the first pair   the claim starts at the start of a clause, or the omitted terms are in the question or the
     *                           previous written sentence
     *   after the last pair     the claim does not end inside a noun or before a unit
     *
     * Examples, omitted source terms in brackets:
     *
     *   passes  "compiled [5 sacks and] 4 fumbles"
     *   fails   "takes 8 hours and [the copied method takes] 15 minutes": the subject of the claimed value is omitted
     *   fails   "takes 8 [hours]": the unit is omitted
     *   fails   "Bob wrote notes" from "Ada wrote notes": a name is exchanged
     *
     * The links of the pairs are compared too: negations in both directions (Negations), prepositions of direction,
     * persons, conditions, and doubt in the source.
     */

    /**
     * The context of a source.
     *
     * @param headings stems of the headings above it
     * @param before the sentence before it, the antecedent of a pronoun
     * @param context keys of the question and of the previous written sentence; empty if unknown
     * @param known whether a stem occurs in any passage
     * @param own stems that need no source
     */
    record Surroundings(
            Set<String> headings,
            Optional<Statement> before,
            Set<String> context,
            Predicate<String> known,
            Set<String> own) {}

    private final Alignment alignment;
    private final List<Term> claim;
    private final List<Term> source;
    private final List<Gap> gaps;
    private final Surroundings around;
    private final boolean reworded;
    private int unsupported;

    /** @param reworded whether the claim's word order was changed; if so, no other difference is allowed */
    Entailment(Alignment alignment, Surroundings around, boolean reworded) {
        this.alignment = alignment;
        this.claim = alignment.claim().terms();
        this.source = alignment.source().terms();
        this.gaps = alignment.gaps();
        this.around = around;
        this.reworded = reworded;
    }

    /** Why the source does not support the claim; empty if it does. */
    Optional<String> objection() {
        if (gaps.size() == 1) {
            return Optional.of("no sentence of the passages says it");
        }
        int last = gaps.size() - 1;
        for (int i = 0; i <= last; i++) {
            Gap gap = gaps.get(i);
            Optional<String> objection = i == last ? tail(gap) : (i == 0 ? lead(gap) : inner(gap)).or(() -> pair(gap));
            if (objection.isPresent()) {
                return objection;
            }
        }
        return new Negations(alignment).objection().or(this::condition).or(this::doubt);
    }

    /** Number of claim terms that no passage contains; call it after {@link #objection()}. */
    int unsupported() {
        return unsupported;
    }

    // ---- gaps

    private Optional<String> lead(Gap gap) {
        List<Term> more = needed(gap);
        if (!more.isEmpty() && !isSubjectBefore(more, gap)) {
            return gap.skips() ? exchanged(more, gap) : inserted(more);
        }
        if (!gap.skips()) {
            return Optional.empty();
        }
        if (reworded) {
            return of(source.subList(0, gap.sourceTo()));
        }
        Term first = source.get(gap.sourceTo());
        Link begin = claim.get(gap.claimTo()).link();
        boolean referring = begin.pronouns().stream().anyMatch(p -> !p.startsWith("speaker"))
                && first.link().pronouns().isEmpty();
        if (first.link().begins()) {
            return referring && !isContext(source.subList(0, 1)) ? of(source.subList(0, 1)) : Optional.empty();
        }
        List<Term> skipped = source.subList(alignment.source().clauseStart(gap.sourceTo()), gap.sourceTo());
        if (isContext(skipped) && !around.context().isEmpty()) {
            return Optional.empty();
        }
        boolean inPhrase =
                !first.link().prepositions().isEmpty() && begin.prepositions().isEmpty();
        boolean noun = begin.has(Trait.DETERMINED) && begin.pronouns().isEmpty()
                || first.kind() == Kind.NAME
                || isContext(List.of(first));
        boolean limits = skipped.stream().anyMatch(term -> term.kind() == Kind.QUALIFIER || term.kind() == Kind.NAME);
        boolean modifiers = noun && !limits && chained(gap.sourceTo() - skipped.size() + 1, gap.sourceTo() + 1);
        boolean phrase = !begin.prepositions().isEmpty()
                && begin.prepositions().equals(first.link().prepositions());
        boolean free = phrase || modifiers || skipped.stream().allMatch(Entailment::isAdverb);
        return inPhrase || referring || !free ? of(skipped) : Optional.empty();
    }

    private Optional<String> inner(Gap gap) {
        List<Term> more = needed(gap);
        if (!more.isEmpty()) {
            return gap.skips() ? exchanged(more, gap) : inserted(more);
        }
        return gap.skips() ? skipped(gap) : Optional.empty();
    }

    private Optional<String> skipped(Gap gap) {
        List<Term> left = source.subList(gap.sourceFrom(), gap.sourceTo());
        Term next = source.get(gap.sourceTo());
        List<Term> through = source.subList(gap.sourceFrom(), gap.sourceTo() + 1);
        if (through.stream().anyMatch(term -> term.link().has(Trait.SENTENCE))) {
            return apart(gap);
        }
        if (through.stream().noneMatch(term -> term.link().begins())) {
            return skippedInClause(gap, left, next);
        }
        return next.link().begins() && isParallel(left, next) ? Optional.empty() : apart(gap);
    }

    private Optional<String> skippedInClause(Gap gap, List<Term> left, Term next) {
        Link first = left.get(0).link();
        boolean adverb = left.stream().allMatch(Entailment::isAdverb);
        boolean begins = !first.has(Trait.ADJACENT) || left.get(0).kind() == Kind.NUMBER;
        boolean names = left.stream().anyMatch(term -> term.kind() == Kind.NAME);
        boolean modifiers = begins && !names && chained(gap.sourceFrom() + 1, gap.sourceTo() + 1);
        List<String> governs = next.link().prepositions();
        List<String> said = claim.get(gap.claimTo()).link().prepositions();
        boolean time = next.kind() == Kind.DATE && isTime(governs) && isTime(said);
        boolean phrase = !first.prepositions().isEmpty() && (governs.isEmpty() || governs.equals(said) || time);
        boolean target = first.prepositions().equals(List.of("from")) && isTarget(governs) && isTarget(said);
        boolean object = first.has(Trait.ADJACENT) && !endsInNoun(gap.sourceFrom()) && !governs.isEmpty();
        boolean free = adverb || modifiers || phrase || object;
        if (target) { // "from 20 to 35": "to 35"
            return Optional.empty();
        }
        return limits(gap, left) || first.has(Trait.POSSESSIVE) || !free ? apart(gap) : Optional.empty();
    }

    private static boolean isTime(List<String> prepositions) {
        return prepositions.equals(List.of("in")) || prepositions.equals(List.of("on"));
    }

    private static boolean isTarget(List<String> prepositions) {
        return !prepositions.isEmpty()
                && prepositions.get(prepositions.size() - 1).equals("to");
    }

    /** Whether the omitted terms restrict the rest: a qualifier, a negation, or a value next to a value. */
    private boolean limits(Gap gap, List<Term> left) {
        boolean besideValue = isMeasure(source.get(gap.sourceFrom() - 1)) || isMeasure(source.get(gap.sourceTo()));
        return left.stream()
                .anyMatch(term ->
                        term.kind() == Kind.QUALIFIER || term.link().negated() || besideValue && isMeasure(term));
    }

    private static boolean isMeasure(Term term) {
        return term.isValue() || term.kind() == Kind.UNIT;
    }

    /** Whether the term before {@code index} is part of a noun phrase with an article that may continue at {@code index}. */
    private boolean endsInNoun(int index) {
        int at = index - 1;
        while (at > 0 && source.get(at).link().has(Trait.ADJACENT)) {
            at--;
        }
        return source.get(at).link().has(Trait.DETERMINED);
    }

    /**
     * Whether each omitted clause or item starts with the same kind of term as {@code next}: item for item, verb for verb.
     */
    private boolean isParallel(List<Term> left, Term next) {
        Kind kind = next.kind();
        for (int i = 0; i < left.size(); i++) {
            Term term = left.get(i);
            boolean begins = i == 0 || term.link().begins();
            if (begins && (term.isValue() != next.isValue() || (term.kind() == Kind.NAME) != (kind == Kind.NAME))) {
                return false;
            }
        }
        return true;
    }

    private Optional<String> tail(Gap gap) {
        List<Term> more = needed(gap);
        if (!more.isEmpty()) {
            return gap.skips() ? exchanged(more, gap) : inserted(more);
        }
        Link end = alignment.claim().tail();
        Link link = gap.skips()
                ? source.get(gap.sourceFrom()).link()
                : alignment.source().tail();
        boolean same = gap.skips()
                ? isPrefix(end.prepositions(), link.prepositions())
                : end.directions().equals(link.directions());
        if (!same || !isPrefix(persons(end), persons(link))) {
            return Optional.of("it ends otherwise than its source after '"
                    + source.get(gap.sourceFrom() - 1).text() + "'");
        }
        return gap.skips() ? cutOff(gap) : Optional.empty();
    }

    private Optional<String> cutOff(Gap gap) {
        Term next = source.get(gap.sourceFrom());
        Term last = source.get(gap.sourceFrom() - 1);
        boolean inClause = !next.link().begins();
        boolean noun = next.link().has(Trait.ADJACENT) && !isAdverb(next) && endsInNoun(gap.sourceFrom());
        boolean unit = last.isValue() && next.kind() == Kind.UNIT;
        boolean limits = next.kind() == Kind.QUALIFIER
                || next.link().negated()
                || next.link().has(Trait.POSSESSIVE);
        return inClause && (noun || unit || limits)
                ? Optional.of("it ends before '" + next.text() + "', which its source goes on with")
                : Optional.empty();
    }

    // ---- pairs

    /** Compares the links of a pair, the one after {@code gap}, in claim and source. */
    private Optional<String> pair(Gap gap) {
        Term said = claim.get(gap.claimTo());
        Term held = source.get(gap.sourceTo());
        Link link = effective(gap);
        List<String> directions = link.directions();
        boolean moved = reworded && !said.link().prepositions().equals(link.prepositions());
        if (moved || !said.link().directions().equals(directions)) {
            return Optional.of("it says " + phrase(said.link().directions(), said) + " where its source says "
                    + phrase(directions, held));
        }
        List<String> persons = persons(said.link());
        List<String> sourcePersons = persons(held.link());
        boolean other = !persons.isEmpty() && !sourcePersons.isEmpty() && !persons.equals(sourcePersons);
        return other && !gap.skips()
                ? Optional.of("it speaks of another person before '" + said.text() + "' than its source")
                : Optional.empty();
    }

    /** The link of the pair after {@code gap} if the gap is omitted: a list item takes the link of the first item. */
    private Link effective(Gap gap) {
        Link link = source.get(gap.sourceTo()).link();
        if (!gap.skips() || gap.sourceFrom() == 0 || !link.prepositions().isEmpty()) {
            return link;
        }
        Link first = source.get(gap.sourceFrom()).link();
        boolean modifiers = chained(gap.sourceFrom() + 1, gap.sourceTo() + 1);
        return modifiers || link.begins() && !first.begins() ? first : link;
    }

    private Optional<String> condition() {
        boolean said = claim.stream().anyMatch(term -> term.link().has(Trait.CONDITIONAL));
        boolean held = sentence().stream().anyMatch(term -> term.link().has(Trait.CONDITIONAL));
        return said == held
                ? Optional.empty()
                : Optional.of(
                        held ? "its source says so only under a condition" : "its source names no such condition");
    }

    private Optional<String> doubt() {
        boolean said = claim.stream().anyMatch(term -> term.link().has(Trait.HEDGED));
        boolean held = gaps.stream()
                .filter(gap -> gap.sourceTo() < source.size())
                .anyMatch(gap -> source.get(gap.sourceTo()).link().has(Trait.HEDGED));
        return held && !said ? Optional.of("its source is less certain") : Optional.empty();
    }

    /** The terms of all source sentences that contain a pair. */
    private List<Term> sentence() {
        int from = gaps.get(0).sourceTo();
        while (from > 0 && !source.get(from).link().has(Trait.SENTENCE)) {
            from--;
        }
        int to = gaps.get(gaps.size() - 1).sourceFrom();
        while (to < source.size() && !source.get(to).link().has(Trait.SENTENCE)) {
            to++;
        }
        return source.subList(from, to);
    }

    // ---- terms

    /** The claim's extra terms in a gap that neither the headings nor the text's references to itself cover. */
    private List<Term> needed(Gap gap) {
        List<Term> needed = new ArrayList<>();
        for (Term term : claim.subList(gap.claimFrom(), gap.claimTo())) {
            boolean free = Lexicon.isLight(term.text())
                    || around.own().contains(term.key())
                    || around.headings().contains(term.key());
            if (!free || gap.skips() || reworded) {
                needed.add(term);
            }
        }
        return needed;
    }

    private Optional<String> inserted(List<Term> more) {
        for (Term term : more) {
            if (term.kind() != Kind.WORD || around.known().test(term.key())) {
                return Optional.of("its source does not say '" + term.text() + "' there");
            }
        }
        unsupported += more.size();
        return Optional.empty();
    }

    /**
     * Whether the claim names the antecedent of a pronoun at the start of the source: the subject of the previous sentence.
     */
    private boolean isSubjectBefore(List<Term> more, Gap gap) {
        boolean pronoun = gap.sourceFrom() == gap.sourceTo()
                && !source.get(gap.sourceTo()).link().pronouns().isEmpty();
        boolean named = claim.get(gap.claimTo()).link().pronouns().isEmpty() && !reworded;
        return pronoun
                && named
                && around.before().isPresent()
                && around.before().get().isAbout(more);
    }

    private boolean isContext(List<Term> terms) {
        return around.context().isEmpty()
                || terms.stream().allMatch(term -> around.context().contains(term.key()));
    }

    /** Whether each source term in [{@code from}, {@code to}) directly follows the previous one. */
    private boolean chained(int from, int to) {
        return source.subList(from, to).stream().allMatch(term -> term.link().has(Trait.ADJACENT));
    }

    private static boolean isPrefix(List<String> beginning, List<String> whole) {
        return beginning.size() <= whole.size() && beginning.equals(whole.subList(0, beginning.size()));
    }

    private static boolean isAdverb(Term term) {
        return term.kind() == Kind.WORD && term.text().endsWith("ly");
    }

    private static List<String> persons(Link link) {
        return link.pronouns().stream().filter(p -> !p.equals("this")).toList();
    }

    private static Optional<String> of(List<Term> subject) {
        return Optional.of("its source says it of '" + words(subject) + "'");
    }

    private Optional<String> exchanged(List<Term> more, Gap gap) {
        List<Term> left = source.subList(gap.sourceFrom(), gap.sourceTo());
        String said = words(left.subList(0, Math.min(left.size(), more.size() + 2)));
        return Optional.of("it says '" + words(more) + "' where its source says '" + said + "'");
    }

    private Optional<String> apart(Gap gap) {
        return Optional.of(
                "its source does not say '" + claim.get(gap.claimTo()).text() + "' of '"
                        + claim.get(gap.claimFrom() - 1).text() + "'");
    }

    private static String phrase(List<String> directions, Term term) {
        return "'" + String.join(" ", directions) + (directions.isEmpty() ? "" : " ") + term.text() + "'";
    }

    private static String words(List<Term> terms) {
        return terms.stream().map(Term::text).collect(Collectors.joining(" "));
    }
}
