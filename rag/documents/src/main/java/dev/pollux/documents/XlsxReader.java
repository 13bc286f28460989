package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Reads XLSX: ISO/IEC 29500-1, part SpreadsheetML. A location is the cells of a row. <em>Confined to one thread.</em> */
final class XlsxReader {

    /*
     * Rows are written as they are read, so that a sheet of any length needs memory for its text alone. Adjacent rows with two
     * cells or more are a table whose first row is its head; a row without cells, or with one, ends it. Hidden sheets, rows and
     * columns are left out. A formula has the value that the last program saved, if it saved one.
     */

    private static final int MOST_COLUMNS = 16_384;

    private final Parts parts;
    private final Extracted out;
    private final List<String> strings = new ArrayList<>();
    private final List<CellFormat.Decimals> formats = new ArrayList<>();
    private boolean from1904;

    private XlsxReader(Parts parts, Extracted out) {
        this.parts = parts;
        this.out = out;
    }

    static void read(Parts parts, Extracted out) {
        new XlsxReader(parts, out).read();
    }

    private void read() {
        OfficeProperties.read(parts, out);
        String main = OfficeProperties.mainPart(parts, "xl/workbook.xml");
        Map<String, Parts.Relation> relations = parts.relations(main);
        for (Parts.Relation relation : relations.values()) {
            if (relation.type().equals("sharedStrings") && parts.has(relation.target())) {
                strings(relation.target());
            } else if (relation.type().equals("styles") && parts.has(relation.target())) {
                styles(relation.target());
            }
        }
        Map<String, String> sheets = new LinkedHashMap<>(); // part by name
        try (Xml xml = parts.xml(main)) {
            while (xml.next()) {
                if (xml.starts("workbookPr")) {
                    from1904 = xml.attribute("date1904").matches("1|true");
                }
                Parts.Relation sheet = xml.starts("sheet") ? relations.get(xml.attribute("id", "relationships")) : null;
                if (sheet != null
                        && !xml.attribute("state").toLowerCase(Locale.ROOT).contains("hidden")
                        && sheet.type().equals("worksheet")
                        && parts.has(sheet.target())) {
                    sheets.put(xml.attribute("name"), sheet.target());
                }
            }
        }
        sheets.forEach(this::sheet);
    }

    private void strings(String part) {
        int characters = 0;
        try (Xml xml = parts.xml(part)) {
            StringBuilder text = new StringBuilder();
            while (xml.next()) {
                if (xml.starts("rPh")) {
                    xml.skip(); // how it is pronounced
                } else if (xml.starts("t")) {
                    text.append(xml.content());
                } else if (xml.ends("si")) {
                    strings.add(text.toString());
                    characters += text.length();
                    out.guard().checkCharacters(characters);
                    text.setLength(0);
                }
            }
        }
    }

    private void styles(String part) {
        Map<Integer, String> codes = new HashMap<>();
        boolean cells = false;
        try (Xml xml = parts.xml(part)) {
            while (xml.next()) {
                if (xml.starts("numFmt")) {
                    codes.put(number(xml.attribute("numFmtId")), xml.attribute("formatCode"));
                } else if (xml.starts("cellXfs") || xml.ends("cellXfs")) {
                    cells = xml.isStart();
                } else if (cells && xml.starts("xf")) {
                    int id = number(xml.attribute("numFmtId"));
                    formats.add(CellFormat.of(id, codes.getOrDefault(id, "")));
                }
            }
        }
    }

    private static int number(String text) {
        return text.matches("\\d{1,9}") ? Integer.parseInt(text) : 0;
    }

    private void sheet(String name, String part) {
        SheetRows rows = new SheetRows(name, out.text());
        try (Xml xml = parts.xml(part)) {
            while (xml.next()) {
                if (xml.starts("col") && xml.attribute("hidden").matches("1|true")) {
                    rows.hide(number(xml.attribute("min")), number(xml.attribute("max")));
                } else if (xml.starts("row")) {
                    if (xml.attribute("hidden").matches("1|true")) {
                        xml.skip();
                    } else {
                        row(xml, rows);
                    }
                }
            }
        }
    }

    private void row(Xml xml, SheetRows rows) {
        int row = number(xml.attribute("r"));
        rows.begin(row > 0 ? row : rows.row() + 1);
        int column = 0;
        while (xml.next() && !xml.ends("row")) {
            if (xml.starts("c")) {
                int given = column(xml.attribute("r"));
                column = given > 0 ? given : column + 1;
                if (column <= MOST_COLUMNS) {
                    rows.cell(column, cell(xml));
                }
            }
        }
        rows.endRow();
    }

    private String cell(Xml xml) {
        String type = xml.attribute("t");
        int style = number(xml.attribute("s"));
        StringBuilder inline = new StringBuilder();
        String value = "";
        while (xml.next() && !xml.ends("c")) {
            if (xml.starts("v")) {
                value = xml.content();
            } else if (xml.starts("t")) {
                inline.append(xml.content());
            } else if (xml.starts("f") || xml.starts("rPh")) {
                xml.skip();
            }
        }
        return switch (type) {
            case "s" -> shared(value);
            case "inlineStr" -> inline.toString();
            case "b" -> value.isBlank() ? "" : value.strip().equals("1") ? "TRUE" : "FALSE";
            case "str", "e", "d" -> value;
            default -> value.isBlank() ? "" : format(style).shown(value, from1904);
        };
    }

    private String shared(String index) {
        int i = number(index.strip());
        return i < strings.size() ? strings.get(i) : "";
    }

    private CellFormat.Decimals format(int style) {
        return style < formats.size() ? formats.get(style) : CellFormat.Decimals.GENERAL;
    }

    /** The column of a reference such as {@code AB12}, from 1; 0 if there is none. */
    private static int column(String reference) {
        int column = 0;
        for (int i = 0;
                i < reference.length() && i < 3 && reference.charAt(i) >= 'A' && reference.charAt(i) <= 'Z';
                i++) {
            column = column * 26 + reference.charAt(i) - 'A' + 1;
        }
        return column;
    }

    /** Writes the rows of one sheet. */
    private static final class SheetRows {
        private final String name;
        private final Markdown out;
        private final List<int[]> hidden = new ArrayList<>(); // first and last column
        private final Map<Integer, String> cells = new TreeMap<>(); // by column
        private int row;
        private int lastRow = -1; // that had cells
        private int first; // column of the table
        private boolean table;
        private boolean titled;

        SheetRows(String name, Markdown out) {
            this.name = name;
            this.out = out;
        }

        int row() {
            return row;
        }

        void hide(int from, int to) {
            hidden.add(new int[] {from, to});
        }

        void begin(int number) {
            row = number;
            cells.clear();
        }

        void cell(int column, String text) {
            boolean shown = hidden.stream().noneMatch(range -> column >= range[0] && column <= range[1]);
            if (shown && !text.isBlank()) {
                cells.put(column, text);
            }
        }

        void endRow() {
            if (cells.isEmpty()) {
                return;
            }
            List<Integer> columns = List.copyOf(cells.keySet());
            int from = columns.get(0);
            int to = columns.get(columns.size() - 1);
            Location here = Location.cells(name, letters(from) + row + (from == to ? "" : ":" + letters(to) + row));
            if (!titled) {
                out.at(here);
                out.heading(1, name);
                titled = true;
            }
            boolean adjacent = row == lastRow + 1;
            lastRow = row;
            if (cells.size() == 1 && !(table && adjacent)) {
                table = false;
                out.at(here);
                out.paragraph(cells.values().iterator().next());
                return;
            }
            if (!adjacent || !table) {
                table = true;
                first = from;
                out.table();
            }
            first = Math.min(first, from);
            List<String> texts = new ArrayList<>();
            for (int column = first; column <= to; column++) {
                texts.add(cells.getOrDefault(column, ""));
            }
            out.at(here);
            out.row(texts);
        }

        private static String letters(int column) {
            StringBuilder text = new StringBuilder();
            for (int rest = column; rest > 0; rest = (rest - 1) / 26) {
                text.insert(0, (char) ('A' + (rest - 1) % 26));
            }
            return text.toString();
        }
    }
}
