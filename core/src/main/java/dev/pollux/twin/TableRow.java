package dev.pollux.twin;

import dev.pollux.internal.text.Cells;
import dev.pollux.twin.Term.Kind;
import dev.pollux.twin.Term.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A row of a table, which says of its first cell what the heads of the columns say of the others. <em>Immutable.</em>
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
     * Whether the row says a claim: it names the row by its first cell, and each cell it takes a word from by the head of its
     * column, where there is more than one; nothing else stands in it.
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

    /** The one cell that holds a term; -1 where none does, or several. */
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

    /** Cells beside the first that the claim takes a word from. */
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
