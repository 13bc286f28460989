package dev.pollux.twin;

import dev.pollux.twin.Term.Link;
import dev.pollux.twin.Term.Trait;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Equivalent word orders of a sentence. <em>Stateless, thread-safe.</em> */
final class Rewordings {

    /*
     *   sentence                            rewording
     *   In 2020 the firm had 50 employees   The firm had 50 employees in 2020
     *   The firm had 50 employees in 2020   In 2020 the firm had 50 employees
     *   Notes were written by Ada           Ada written notes
     *
     * A rewording keeps each term. The parser does not know parts of speech, so each possible verb and each possible target
     * of a phrase gives a candidate. Entailment accepts no other difference in a reworded claim.
     */

    private static final Set<String> TIMES = Set.of("all", "last", "next", "first", "some");

    private Rewordings() {}

    /** The claim with its first or last phrase moved, and in the active voice. */
    static List<Statement> of(Statement claim) {
        List<Statement> rewordings = new ArrayList<>();
        phraseFromFront(claim, rewordings);
        phraseToFront(claim, rewordings);
        rewordings.addAll(active(claim));
        return rewordings;
    }

    /**
     * Moves a phrase from the front: {@code In 2020 the firm had 50 employees} becomes
     * {@code The firm had 50 employees in 2020}.
     */
    private static void phraseFromFront(Statement claim, List<Statement> rewordings) {
        List<Term> terms = claim.terms();
        int end = 1;
        while (end < terms.size() && terms.get(end).link().has(Trait.ADJACENT)) {
            end++;
        }
        if (!isPhrase(terms.get(0)) || end >= terms.size() || isPhrase(terms.get(end))) {
            return;
        }
        for (int to = terms.size(); to > end; to--) {
            List<Term> moved = new ArrayList<>();
            moved.add(opening(terms.get(end)));
            moved.addAll(terms.subList(end + 1, to));
            moved.add(joined(terms.get(0)));
            moved.addAll(terms.subList(1, end));
            moved.addAll(terms.subList(to, terms.size()));
            rewordings.add(new Statement(moved, to == terms.size() ? Link.NONE : claim.tail()));
        }
    }

    /** Moves a phrase to the front, the inverse of {@link #phraseFromFront}. */
    private static void phraseToFront(Statement claim, List<Statement> rewordings) {
        List<Term> terms = claim.terms();
        for (int at = 1; at < terms.size() && !isPhrase(terms.get(0)); at++) {
            if (isPhrase(terms.get(at))) {
                List<Term> moved = new ArrayList<>();
                moved.add(opening(terms.get(at)));
                moved.addAll(terms.subList(at + 1, terms.size()));
                moved.add(joined(terms.get(0)));
                moved.addAll(terms.subList(1, at));
                rewordings.add(new Statement(moved, Link.NONE));
            }
        }
    }

    /** Whether a term starts a phrase with free position: {@code in 2020}, {@code every Friday}. */
    private static boolean isPhrase(Term term) {
        return !term.link().prepositions().isEmpty()
                || term.kind() == Term.Kind.DATE
                || term.kind() == Term.Kind.QUALIFIER && TIMES.contains(term.key());
    }

    /**
     * The active voice for each possible verb: {@code Notes were written by Ada in 1843} becomes
     * {@code Ada written notes in 1843}.
     */
    static List<Statement> active(Statement statement) {
        List<Term> terms = statement.terms();
        List<Statement> active = new ArrayList<>();
        for (int by = 2; by < terms.size(); by++) {
            Link link = terms.get(by).link();
            if (link.prepositions().equals(List.of("by")) && !link.begins()) {
                int end = by + 1;
                while (end < terms.size()
                        && terms.get(end).link().has(Trait.ADJACENT)
                        && terms.get(end).kind() != Term.Kind.QUALIFIER) {
                    end++;
                }
                int start = by - 1;
                while (start > 0 && !terms.get(start).link().begins()) {
                    start--;
                }
                for (int verb = start + 1; verb < by; verb++) {
                    active.add(turned(statement, new Passive(start, verb, by, end)));
                }
            }
        }
        return active;
    }

    /** A passive clause by the indices of its first term, its verb, its agent, and the first term after the agent. */
    private record Passive(int start, int verb, int by, int end) {}

    private static Statement turned(Statement statement, Passive at) {
        List<Term> terms = statement.terms();
        List<Term> turned = new ArrayList<>(terms.subList(0, at.start()));
        Term agent = terms.get(at.by());
        turned.add(agent.after(without(agent.link(), "by", terms.get(at.start()).link())));
        turned.addAll(terms.subList(at.by() + 1, at.end()));
        turned.add(terms.get(at.verb()));
        turned.add(terms.get(at.start()).after(Link.NONE));
        turned.addAll(terms.subList(at.start() + 1, at.verb()));
        turned.addAll(terms.subList(at.verb() + 1, at.by()));
        turned.addAll(terms.subList(at.end(), terms.size()));
        return new Statement(turned, statement.tail());
    }

    private static Link without(Link link, String preposition, Link place) {
        List<String> rest =
                link.prepositions().stream().filter(p -> !p.equals(preposition)).toList();
        Set<Trait> traits = EnumSet.noneOf(Trait.class);
        traits.addAll(link.traits());
        traits.remove(Trait.ADJACENT);
        if (place.has(Trait.CLAUSE)) {
            traits.add(Trait.CLAUSE);
        }
        if (place.has(Trait.SENTENCE)) {
            traits.add(Trait.SENTENCE);
        }
        return new Link(traits, link.negations(), rest, link.pronouns());
    }

    private static Term opening(Term term) {
        Set<Trait> traits = EnumSet.of(Trait.CLAUSE);
        traits.addAll(term.link().traits());
        traits.remove(Trait.ADJACENT);
        return term.after(term.link().with(traits));
    }

    private static Term joined(Term term) {
        Set<Trait> traits = EnumSet.noneOf(Trait.class);
        traits.addAll(term.link().traits());
        traits.remove(Trait.CLAUSE);
        return term.after(term.link().with(traits));
    }
}
