package dev.pollux.twin;

import java.util.Set;

/** Resolves citation marks in text that arrives in pieces; holds back what may become one. <em>Confined to one thread.</em> */
final class MarkStream {

    private final Set<Integer> known;
    private final StringBuilder held = new StringBuilder();

    /** @param known the numbers that mean something; marks with others are taken out */
    MarkStream(Set<Integer> known) {
        this.known = known;
    }

    /** What can be shown now; may be empty. */
    String append(String delta) {
        held.append(delta);
        int open = held.lastIndexOf("[");
        boolean pending = open >= 0 && held.indexOf("]", open) < 0 && held.length() - open <= Marks.LONGEST;
        int safe = pending ? open : held.length();
        if (safe > 0 && held.charAt(safe - 1) == ' ') {
            safe--; // goes with a mark that may follow
        }
        return take(safe);
    }

    /** The rest. */
    String end() {
        return take(held.length());
    }

    private String take(int length) {
        String text = Marks.resolved(held.substring(0, length), known);
        held.delete(0, length);
        return text;
    }
}
