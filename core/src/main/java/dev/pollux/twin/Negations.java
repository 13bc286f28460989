package dev.pollux.twin;

import dev.pollux.twin.Alignment.Gap;
import dev.pollux.twin.Term.Kind;
import dev.pollux.twin.Term.Link;
import dev.pollux.twin.Term.Trait;
import java.util.List;
import java.util.Optional;

/** Checks that a claim and its source negate the same words. <em>Confined to one thread.</em> */
final class Negations {

    /*
     * Invariant: the number of negations is equal in each gap of the alignment. Two exceptions:
     *
     *   omitted clause  Negations of a source clause that the claim omits are not counted.
     *   shift           A negation may move by one term within its clause (isShifted).
     *
     * Source "It needs no Python": "It does not need Python" passes, "It needs Python" fails.
     */

    private final Statement claim;
    private final Statement source;
    private final List<Term> said;
    private final List<Term> held;
    private final List<Gap> gaps;

    Negations(Alignment alignment) {
        this.claim = alignment.claim();
        this.source = alignment.source();
        this.said = claim.terms();
        this.held = source.terms();
        this.gaps = alignment.gaps();
    }

    /** The first difference; empty if there is none. */
    Optional<String> objection() {
        int[] inClaim = new int[gaps.size()];
        int[] inSource = new int[gaps.size()];
        for (int i = 0; i < gaps.size(); i++) {
            inClaim[i] = negationsInClaim(gaps.get(i));
            inSource[i] = negationsInSource(gaps.get(i));
        }
        for (int i = 0; i < gaps.size(); i++) {
            if (inClaim[i] != inSource[i]) {
                if (isShifted(inClaim, inSource, i)) {
                    i++;
                } else {
                    int at = Math.min(gaps.get(i).claimTo(), said.size() - 1);
                    return Optional.of("it and its source disagree on a negation before '"
                            + said.get(at).text() + "'");
                }
            }
        }
        return Optional.empty();
    }

    /** Whether a negation moved by one term within its clause: <em>needs no Python</em>, <em>does not need Python</em>. */
    private boolean isShifted(int[] inClaim, int[] inSource, int i) {
        if (i + 1 >= inClaim.length || inClaim[i] + inClaim[i + 1] != inSource[i] + inSource[i + 1]) {
            return false;
        }
        Gap gap = gaps.get(i);
        Gap next = gaps.get(i + 1);
        return gap.claimTo() < said.size()
                && said.get(gap.claimTo()).kind() != Kind.QUALIFIER
                && !next.skips()
                && !next.inserts()
                && (next.sourceTo() == held.size()
                        || !held.get(next.sourceTo()).link().begins());
    }

    private int negationsInClaim(Gap gap) {
        Link last = gap.claimTo() < said.size() ? said.get(gap.claimTo()).link() : claim.tail();
        return negations(said.subList(gap.claimFrom(), gap.claimTo())) + last.negations();
    }

    private int negationsInSource(Gap gap) {
        if (gap.sourceTo() == held.size()) {
            Link link = gap.skips() ? held.get(gap.sourceFrom()).link() : source.tail();
            return gap.skips() && link.begins() ? 0 : link.negations();
        }
        Link link = held.get(gap.sourceTo()).link();
        if (link.negated() || !gap.skips()) {
            return link.negations();
        }
        if (link.begins() && gap.sourceFrom() > 0) { // not A or B, but not: not A but B
            Link first = held.get(gap.sourceFrom()).link();
            return link.has(Trait.OPPOSED) || first.begins() ? 0 : first.negations();
        }
        int from = gap.sourceFrom() == 0 ? source.clauseStart(gap.sourceTo()) : gap.sourceFrom();
        return negations(held.subList(from, gap.sourceTo()));
    }

    private static int negations(List<Term> terms) {
        return terms.stream().mapToInt(term -> term.link().negations()).sum();
    }
}
