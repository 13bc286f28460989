package dev.pollux.retrieval;

/** A rectangle of cells, columns and rows from 1. <em>Immutable.</em> */
record CellRange(int firstColumn, int firstRow, int lastColumn, int lastRow) {

    private static final int LETTERS = 26;

    /** Reads {@code B7} or {@code A2:D5}; the corners may come in any order. */
    static CellRange of(String text) {
        int colon = text.indexOf(':');
        int[] a = cell(colon < 0 ? text : text.substring(0, colon)); // (column, row)
        int[] b = colon < 0 ? a : cell(text.substring(colon + 1)); // (column, row)
        return new CellRange(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1]));
    }

    private static int[] cell(String text) {
        int column = 0;
        int i = 0;
        while (i < text.length() && Character.isLetter(text.charAt(i))) {
            column = column * LETTERS + text.charAt(i++) - 'A' + 1;
        }
        return new int[] {column, Integer.parseInt(text.substring(i))};
    }

    CellRange union(CellRange other) {
        return new CellRange(
                Math.min(firstColumn, other.firstColumn),
                Math.min(firstRow, other.firstRow),
                Math.max(lastColumn, other.lastColumn),
                Math.max(lastRow, other.lastRow));
    }

    /** {@code B7} or {@code A2:D5}. */
    @Override
    public String toString() {
        String first = letters(firstColumn) + firstRow;
        boolean one = firstColumn == lastColumn && firstRow == lastRow;
        return one ? first : first + ":" + letters(lastColumn) + lastRow;
    }

    private static String letters(int column) {
        StringBuilder name = new StringBuilder();
        for (int rest = column; rest > 0; rest = (rest - 1) / LETTERS) {
            name.insert(0, (char) ('A' + (rest - 1) % LETTERS));
        }
        return name.toString();
    }
}
