package dev.pollux.twin;

import java.util.List;
import java.util.Set;

/**
 * A word, number or date of a sentence that must stand in its source.
 *
 * @param kind what it is
 * @param key what it is compared by: a stem, a number, a unit's name, a date as {@code year-month-day}
 * @param text as it stands
 * @param link what stands between the term before it and this one
 */
record Term(Kind kind, String key, String text, Link link) {

    enum Kind {
        NUMBER,
        DATE,
        UNIT,
        NAME,
        /** A word that says how much, how often or which of several: <em>more</em>, <em>all</em>, <em>first</em>. */
        QUALIFIER,
        WORD
    }

    enum Trait {
        /** Nothing but a space or a hyphen. */
        ADJACENT,
        /** A clause or an item of a list begins. */
        CLAUSE,
        /** A sentence begins, which is a clause too. */
        SENTENCE,
        /** The clause is joined by <em>and</em>, <em>but</em> or a semicolon: it can stand alone. */
        COORDINATED,
        /** The clause hangs on another: <em>when</em>, <em>which</em>. */
        SUBORDINATE,
        /** The clause is opposed to the one before: <em>but</em>. */
        OPPOSED,
        /** <em>may</em>, <em>perhaps</em>. */
        HEDGED,
        /** <em>if</em>, <em>unless</em>. */
        CONDITIONAL,
        /** An article or another determiner: a noun follows. */
        DETERMINED,
        /** The term before owns this one. */
        POSSESSIVE
    }

    /**
     * The function words and marks between two terms.
     *
     * @param negations how many: <em>not</em>, <em>no</em>, <em>without</em>
     * @param prepositions in lower case, in order
     * @param pronouns the class of each personal pronoun, in order
     */
    record Link(Set<Trait> traits, int negations, List<String> prepositions, List<String> pronouns) {

        static final Link NONE = new Link(Set.of(), 0, List.of(), List.of());

        Link {
            traits = Set.copyOf(traits);
            prepositions = List.copyOf(prepositions);
            pronouns = List.copyOf(pronouns);
        }

        boolean has(Trait trait) {
            return traits.contains(trait);
        }

        boolean negated() {
            return negations > 0;
        }

        boolean begins() {
            return has(Trait.CLAUSE);
        }

        /** The same with other traits. */
        Link with(Set<Trait> others) {
            return new Link(others, negations, prepositions, pronouns);
        }

        /** The prepositions that tell who does what to whom, and which way. */
        List<String> directions() {
            return prepositions.stream().filter(Lexicon::isDirection).toList();
        }
    }

    boolean isValue() {
        return kind == Kind.NUMBER || kind == Kind.DATE;
    }

    /** Whether what this term says is said by {@code source}; a date may say less: {@code July 2026} of {@code 1 July 2026}. */
    boolean isSaidBy(Term source) {
        if (source.kind == Kind.DATE && isValue()) {
            return Dates.covers(source.key, kind == Kind.DATE ? key : key + "-?-?");
        }
        return key.equals(source.key) && isValue() == source.isValue();
    }

    Term after(Link other) {
        return new Term(kind, key, text, other);
    }
}
