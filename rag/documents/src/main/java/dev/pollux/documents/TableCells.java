package dev.pollux.documents;

import java.util.ArrayList;
import java.util.List;

/** The tables that are open; of tables in tables, the inner one is text of the outer one's cell. <em>Confined to one thread.</em> */
final class TableCells {

    private final List<List<String>> rows = new ArrayList<>();
    private List<String> row = new ArrayList<>();
    private StringBuilder cell = new StringBuilder();
    private int depth;
    private int span = 1;

    /** Whether a table is open. */
    boolean isOpen() {
        return depth > 0;
    }

    void begin() {
        if (depth++ == 0) {
            rows.clear();
        }
    }

    void beginRow() {
        if (depth == 1) {
            row = new ArrayList<>();
        }
    }

    void beginCell() {
        if (depth == 1) {
            cell = new StringBuilder();
            span = 1;
        }
    }

    /** The number of columns of the open cell. */
    void span(String columns) {
        if (depth == 1 && columns.matches("\\d{1,2}")) {
            span = Math.max(1, Integer.parseInt(columns));
        }
    }

    /** Adds a paragraph to the open cell. */
    void text(String paragraph) {
        if (!paragraph.isBlank()) {
            cell.append(cell.isEmpty() ? "" : " ").append(paragraph.strip());
        }
    }

    void endCell() {
        if (depth == 1) {
            row.add(cell.toString());
            for (int i = 1; i < span; i++) {
                row.add("");
            }
            cell = new StringBuilder();
        }
    }

    void endRow() {
        if (depth == 1) {
            rows.add(row);
        }
    }

    /** Ends a table; the outermost one is written. */
    void end(Markdown out) {
        if (depth > 0 && --depth == 0) {
            write(rows, out);
            rows.clear();
        }
    }

    /** Writes a table; one of a single column, which only frames a text, as paragraphs. */
    static void write(List<List<String>> rows, Markdown out) {
        boolean frame = rows.stream().allMatch(row -> row.size() <= 1);
        if (frame) {
            rows.forEach(row -> row.forEach(out::paragraph));
            return;
        }
        out.table();
        rows.forEach(out::row);
    }
}
