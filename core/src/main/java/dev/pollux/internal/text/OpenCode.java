package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;

/** The code that is being read, between fences or indented; there may be none. <em>Confined to one thread.</em> */
final class OpenCode {

    private final Lines lines;
    private final BlockSink out;
    private final Containers open;
    private int start = -1; // -1 where there is none
    private int end;
    private int firstLine;
    private String fence = ""; // empty of indented code

    OpenCode(Lines lines, BlockSink out, Containers open) {
        this.lines = lines;
        this.out = out;
        this.open = open;
    }

    boolean isOpen() {
        return start >= 0;
    }

    boolean isFenced() {
        return isOpen() && !fence.isEmpty();
    }

    /** Begins after a line with a fence. */
    void fence(String mark, int line) {
        fence = mark;
        start = lines.next(line);
        end = start;
        firstLine = line;
    }

    /** A line between fences, or the closing one. */
    void goesOn(String rest, int lineEnd, int line) {
        String mark = rest.stripTrailing();
        boolean closes = mark.length() >= fence.length()
                && mark.startsWith(fence)
                && mark.chars().allMatch(c -> c == fence.charAt(0));
        if (closes) {
            add(line + 1);
        } else {
            end = lineEnd;
        }
    }

    /** An indented line, the first or another one. */
    void indented(int lineStart, int lineEnd, int line) {
        if (!isOpen()) {
            open.leaf();
            start = lineStart;
            firstLine = line;
        }
        end = lineEnd;
    }

    void endIndented() {
        if (isOpen() && fence.isEmpty()) {
            add(lines.at(end) + 1);
        }
    }

    /** Ends whatever is open, before {@code line}. */
    void end(int line) {
        endIndented();
        if (isOpen()) {
            add(line);
        }
    }

    private void add(int endLine) {
        out.add(Kind.CODE, new Extent(start, end, firstLine, endLine), open.next());
        start = -1;
        fence = "";
    }
}
