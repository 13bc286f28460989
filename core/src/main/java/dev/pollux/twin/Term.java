package dev.pollux.twin;

import java.util.List;
import java.util.Set;

/**
 * A word, number or date of a sentence that its source must contain.
 *
 * @param kind the kind of term
 * @param key the value to compare: a stem, a number, a unit's name, a date as {@code year-month-day}
 * @param text the term as written
 * @param link the function words and punctuation between the previous term and this one
 */
record Term(Kind kind, String key, String text, Link link) {

    enum Kind {
        NUMBER,
        DATE,
        UNIT,
        NAME,
        /** A word of amount, frequency or choice: <em>more</em>, <em>all</em>, <em>first</em>. */
        QUALIFIER,
        WORD
    }

    enum Trait {
        /** Only a space or a hyphen separates the terms. */
        ADJACENT,
        /** Starts a clause or a list item. */
        CLAUSE,
        /** Starts a sentence, which is also a clause. */
        SENTENCE,
        /** The clause is joined by <em>and</em>, <em>but</em> or a semicolon and is independent. */
        COORDINATED,
        /** The clause is subordinate: <em>when</em>, <em>which</em>. */
        SUBORDINATE,
        /** The clause contrasts with the previous one: <em>but</em>. */
        OPPOSED,
        /** The clause expresses doubt: <em>may</em>, <em>perhaps</em>. */
        HEDGED,
        /** The clause is a condition: <em>if</em>, <em>unless</em>. */
        CONDITIONAL,
        /** An article or another determiner precedes the noun. */
        DETERMINED,
        /** The previous term is the possessor of this one. */
        POSSESSIVE
    }

    /**
     * The function words and punctuation between two terms.
     *
     * @param negations number of negations: <em>not</em>, <em>no</em>, <em>without</em>
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

        /** This link with other traits. */
        Link with(Set<Trait> others) {
            return new Link(others, negations, prepositions, pronouns);
        }

        /** The prepositions that express roles or direction. */
        List<String> directions() {
            return prepositions.stream().filter(Lexicon::isDirection).toList();
        }
    }

    boolean isValue() {
        return kind == Kind.NUMBER || kind == Kind.DATE;
    }

    /**
     * Whether {@code source} implies this term. A date may be less precise than its source: {@code July 2026} passes for
     * {@code 1 July 2026}; {@code 1 July 2026} fails for {@code July 2026}.
     */
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
