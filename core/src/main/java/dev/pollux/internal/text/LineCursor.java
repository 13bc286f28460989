package dev.pollux.internal.text;

/** A place in a line, with the column that tabs bring it to (stops of 4). <em>Confined to one thread.</em> */
final class LineCursor {

    private static final int TAB = 4;

    final String text;
    final int end;
    int at;
    private int column;
    private int spare; // columns left of a tab that was consumed in part

    LineCursor(String text, int start, int end) {
        this.text = text;
        this.at = start;
        this.end = end;
    }

    /** Columns of white space from here. */
    int indent() {
        int columns = column + spare;
        for (int i = at; i < end; i++) {
            char c = text.charAt(i);
            if (c == '\t') {
                columns += TAB - columns % TAB;
            } else if (c == ' ') {
                columns++;
            } else {
                break;
            }
        }
        return columns - column;
    }

    boolean blank() {
        return first() == end;
    }

    /** The place of the first character that is not white space; the end where all is. */
    int first() {
        int i = at;
        while (i < end && Character.isWhitespace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    /** The first character that is not white space, 0 if there is none. */
    char peek() {
        int first = first();
        return first < end ? text.charAt(first) : 0;
    }

    /** Consumes white space, at most {@code columns} of it. */
    void skip(int columns) {
        int left = columns - Math.min(columns, spare);
        column += columns - left;
        spare -= columns - left;
        while (left > 0 && at < end && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            int width = text.charAt(at) == '\t' ? TAB - column % TAB : 1;
            at++;
            column += Math.min(width, left);
            spare = Math.max(0, width - left);
            left -= Math.min(width, left);
        }
    }

    /** Consumes all white space and then {@code characters} more. */
    void take(int characters) {
        skip(indent());
        at += characters;
        column += characters;
    }

    String rest() {
        return text.substring(at, end);
    }
}
