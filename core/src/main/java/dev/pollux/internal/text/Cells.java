package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.List;

/** The cells of a row of a table. */
public final class Cells {

    private static final int MOST = 200;

    private Cells() {}

    /** The cells of {@code row}, stripped; bars at its ends may be there or not, {@code \|} is no bar. */
    public static List<String> of(String row) {
        List<String> cells = new ArrayList<>();
        String line = row.strip();
        int from = line.startsWith("|") ? 1 : 0;
        for (int i = from; i < line.length() && cells.size() < MOST; i++) {
            if (line.charAt(i) == '|' && !isEscaped(line, i)) {
                cells.add(line.substring(from, i).strip());
                from = i + 1;
            }
        }
        if (from < line.length()) {
            cells.add(line.substring(from).strip());
        }
        return cells;
    }

    /** Whether a line has a bar that separates cells. */
    static boolean hasBar(String line) {
        for (int i = line.indexOf('|'); i >= 0; i = line.indexOf('|', i + 1)) {
            if (!isEscaped(line, i)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a line is certainly a row: it begins and ends with a bar. */
    static boolean isRow(String line) {
        String row = line.stripTrailing();
        return row.length() > 1 && row.startsWith("|") && row.endsWith("|");
    }

    private static boolean isEscaped(String line, int bar) {
        return bar > 0 && line.charAt(bar - 1) == '\\';
    }
}
