package dev.pollux.twin;

import dev.pollux.internal.text.Cells;
import dev.pollux.twin.Term.Kind;
import dev.pollux.twin.Term.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A table row as a source: each cell after the first states the attribute named by its column head, of the subject named by
 * the first cell. <em>Immutable.</em>
 *
 * @param heads the terms of each column's head
 * @param cells the terms of each cell
 */
record TableRow(List<List<Term>> heads, List<List<Term>> cells) {

    static TableRow of(String head, String row) {
        return new TableRow(cells(head), cells(row));
    }

    private static List<List<Term>> cells(String row) {
        return Cells.of(row).stream().map(cell -> Statement.of(cell).terms()).toList();
    }

    /**
     * Whether the row supports a claim. All of these conditions must hold:
     * <ul>
     *   <li>the claim contains the first cell and a term of another cell;
     *   <li>in a table of more than two columns, it names the head of each other cell from which it takes a term;
     *   <li>its remaining terms are in these heads, in the first head, or in {@code headings};
     *   <li>it has no qualifier, negation, doubt or condition.
     * </ul>
     * For the heads <em>pass, price, days</em> and the row <em>annual, 90, 365</em>, <em>The price of the annual pass is
     * 90</em> passes; <em>The annual pass has 90 days</em> fails.
     *
     * @param headings stems of the headings above the table
     */
    boolean says(Statement claim, Set<String> headings) {
        boolean[] used = new boolean[cells.size()];
        List<Term> others = new ArrayList<>();
        for (Term term : claim.terms()) {
            boolean bare = term.link().negated()
                    || term.link().has(Trait.HEDGED)
                    || term.link().has(Trait.CONDITIONAL)
                    || term.kind() == Kind.QUALIFIER;
            int cell = cell(term);
            if (bare) {
                return false;
            } else if (cell >= 0) {
                used[cell] = true;
            } else {
                others.add(term);
            }
        }
        boolean named = !cells.isEmpty() && cells.get(0).stream().allMatch(term -> holds(claim.terms(), term));
        return named
                && count(used) > 0
                && others.stream().allMatch(term -> isHead(term, used, headings))
                && (cells.size() <= 2 || headsAreSaid(claim, used));
    }

    /** The index of the only cell that contains a term; -1 if there is none or more than one. */
    private int cell(Term term) {
        int found = -1;
        for (int i = 0; i < cells.size(); i++) {
            if (holds(cells.get(i), term)) {
                if (found >= 0 && term.kind() != Kind.UNIT) {
                    return -1;
                }
                found = i;
            }
        }
        return term.kind() == Kind.UNIT && found > 0 ? 0 : found;
    }

    private boolean isHead(Term term, boolean[] used, Set<String> headings) {
        for (int i = 0; i < heads.size() && i < used.length; i++) {
            if ((used[i] || i == 0) && holds(heads.get(i), term)) {
                return true;
            }
        }
        return headings.contains(term.key());
    }

    private boolean headsAreSaid(Statement claim, boolean[] used) {
        for (int i = 1; i < used.length; i++) {
            if (used[i] && (i >= heads.size() || heads.get(i).stream().noneMatch(term -> holds(claim.terms(), term)))) {
                return false;
            }
        }
        return true;
    }

    /** Number of cells after the first from which the claim takes a term. */
    private static int count(boolean[] used) {
        int count = 0;
        for (int i = 1; i < used.length; i++) {
            count += used[i] ? 1 : 0;
        }
        return count;
    }

    private static boolean holds(List<Term> terms, Term term) {
        return terms.stream().anyMatch(term::isSaidBy);
    }
}
