package dev.pollux.rag.source;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads rows of cells: RFC 4180, with comma, semicolon, tab or bar between cells. <em>Confined to one thread.</em> */
final class CsvRows {

    /**
     * A row.
     *
     * @param firstLine from 1
     * @param lastLine at least {@code firstLine}; greater if a cell has line breaks
     */
    record Row(List<String> cells, int firstLine, int lastLine) {}

    /** A quote that is never closed, or a cell that is too long. The message is a phrase that follows the file's name. */
    static final class MalformedRowException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedRowException(String reason) {
            super(reason);
        }
    }

    private static final String DELIMITERS = ",;\t|";
    private static final int LOOK_AHEAD = 1 << 16;
    private static final int LONGEST_CELL = 1 << 20;

    private final Reader in;
    private final char delimiter;
    private int line = 1;
    private int next;

    /** @param in supports marks; closed by the caller */
    CsvRows(Reader in) throws IOException {
        this.in = in;
        this.delimiter = delimiter(in);
        this.next = in.read();
    }

    /** Whether the first line of a text has cells. */
    static boolean isTable(String text) {
        int end = 0;
        while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\r') {
            end++;
        }
        return text.substring(0, end).chars().anyMatch(c -> DELIMITERS.indexOf(c) >= 0);
    }

    /** The delimiter that occurs most often in the first line, outside of quotes. */
    private static char delimiter(Reader in) throws IOException {
        int[] counts = new int[DELIMITERS.length()];
        in.mark(LOOK_AHEAD);
        boolean quoted = false;
        for (int i = 0; i < LOOK_AHEAD - 1; i++) {
            int c = in.read();
            if (c < 0 || !quoted && (c == '\n' || c == '\r')) {
                break;
            }
            quoted ^= c == '"';
            int index = DELIMITERS.indexOf(c);
            if (!quoted && index >= 0) {
                counts[index]++;
            }
        }
        in.reset();
        int best = 0;
        for (int i = 1; i < counts.length; i++) {
            best = counts[i] > counts[best] ? i : best;
        }
        return DELIMITERS.charAt(best);
    }

    /** The next row; absent at the end. Empty lines are left out. */
    Optional<Row> next() throws IOException, MalformedRowException {
        while (next == '\n' || next == '\r') {
            lineBreak();
        }
        if (next < 0) {
            return Optional.empty();
        }
        int first = line;
        List<String> cells = new ArrayList<>();
        cells.add(cell());
        while (next == delimiter) {
            next = in.read();
            cells.add(cell());
        }
        int last = line;
        if (next >= 0) {
            lineBreak();
        }
        return Optional.of(new Row(cells, first, last));
    }

    private void lineBreak() throws IOException {
        int before = next;
        next = in.read();
        if (before == '\r' && next == '\n') {
            next = in.read();
        }
        line++;
    }

    private String cell() throws IOException, MalformedRowException {
        StringBuilder text = new StringBuilder();
        if (next == '"') {
            quoted(text);
        }
        while (next >= 0 && next != delimiter && next != '\n' && next != '\r') {
            add(text);
            next = in.read();
        }
        return text.toString();
    }

    private void quoted(StringBuilder text) throws IOException, MalformedRowException {
        int opened = line;
        next = in.read();
        while (true) {
            if (next < 0) {
                throw new MalformedRowException("has a quote in line " + opened + " that is never closed");
            }
            if (next == '"') {
                next = in.read();
                if (next != '"') {
                    return;
                }
            } else if (next == '\r' || next == '\n') {
                lineBreak();
                text.append('\n');
                continue;
            }
            add(text);
            next = in.read();
        }
    }

    private void add(StringBuilder text) throws MalformedRowException {
        if (text.length() >= LONGEST_CELL) {
            throw new MalformedRowException(
                    "has a cell in line " + line + " of more than " + LONGEST_CELL + " characters");
        }
        text.append((char) next);
    }
}
