package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads ODT: OpenDocument 1.3, part 3. <em>Confined to one thread.</em> */
final class OdtReader {

    /*
     * Left out: deleted text, which is kept in tracked-changes, annotations, and generated indexes. Notes follow the paragraph
     * that refers to them.
     */

    private static final Map<String, String> PROPERTIES = Map.of(
            "title", "title",
            "creator", "author",
            "initial-creator", "author",
            "subject", "subject",
            "keyword", "keywords",
            "language", "language",
            "creation-date", "created",
            "date", "updated");

    /** A paragraph that is open; those of notes and text boxes are inside another one. */
    private static final class Paragraph {
        private final StringBuilder text = new StringBuilder();
        private final List<String> notes = new ArrayList<>();
        private final int level; // of a heading, else 0
        private final String style;

        Paragraph(int level, String style) {
            this.level = level;
            this.style = style;
        }
    }

    private final Parts parts;
    private final Extracted out;
    private final Deque<Paragraph> open = new ArrayDeque<>();
    private final TableCells table = new TableCells();
    private final Map<String, String> parents = new HashMap<>(); // of styles
    private int lists; // that are open
    private boolean itemBegins;
    private boolean titled;
    private int notes; // that are open
    private String repeated = "";

    private OdtReader(Parts parts, Extracted out) {
        this.parts = parts;
        this.out = out;
    }

    static void read(Parts parts, Extracted out) {
        new OdtReader(parts, out).read();
    }

    private void read() {
        if (parts.has("META-INF/manifest.xml")) {
            try (Xml xml = parts.xml("META-INF/manifest.xml")) {
                while (xml.next()) {
                    if (xml.starts("encryption-data")) {
                        throw new UnreadableException("is encrypted");
                    }
                }
            }
        }
        if (parts.has("meta.xml")) {
            try (Xml xml = parts.xml("meta.xml")) {
                Xml.fields(xml, PROPERTIES, out);
            }
        }
        out.text().at(Location.whole());
        try (Xml xml = parts.xml("content.xml")) {
            while (xml.next()) {
                if (xml.isStart()) {
                    start(xml);
                } else if (xml.isEnd()) {
                    end(xml.name());
                } else if (xml.isText() && !open.isEmpty()) {
                    // A line break in the file is a blank of the text.
                    open.peek().text.append(xml.text().replace('\n', ' '));
                    out.guard().checkCharacters(open.peek().text.length());
                }
            }
        }
    }

    private void start(Xml xml) {
        switch (xml.name()) {
            case "tracked-changes",
                    "annotation",
                    "table-of-content",
                    "note-citation",
                    "hidden-text",
                    "alphabetical-index",
                    "illustration-index",
                    "forms",
                    "ruby-text" -> xml.skip();
            case "style" -> parents.put(xml.attribute("name"), xml.attribute("parent-style-name"));
            case "h" -> open.push(new Paragraph(level(xml.attribute("outline-level")), ""));
            case "p" -> open.push(new Paragraph(0, xml.attribute("style-name")));
            case "s" -> append(" ");
            case "tab" -> append(" ");
            case "line-break" -> append("\n");
            case "list" -> lists++;
            case "list-item" -> itemBegins = true;
            case "note" -> notes++;
            case "table" -> table.begin();
            case "table-row" -> table.beginRow();
            case "table-cell", "covered-table-cell" -> {
                table.beginCell();
                repeated = xml.attribute("number-columns-repeated");
            }
            default -> {
                // formatting
            }
        }
    }

    private static int level(String text) {
        return text.matches("\\d") ? Math.max(1, text.charAt(0) - '0') : 1;
    }

    private void append(String text) {
        if (!open.isEmpty()) {
            open.peek().text.append(text);
        }
    }

    private void end(String name) {
        switch (name) {
            case "h", "p" -> {
                Paragraph paragraph = open.poll();
                if (paragraph != null) {
                    write(paragraph);
                }
            }
            case "list" -> lists--;
            case "note" -> notes--;
            case "table-cell", "covered-table-cell" -> {
                table.endCell();
                int times = repeated.matches("\\d{1,2}") ? Integer.parseInt(repeated) : 1; // more are padding
                for (int i = 1; i < times; i++) {
                    table.beginCell();
                    table.endCell();
                }
                repeated = "";
            }
            case "table-row" -> table.endRow();
            case "table" -> table.end(out.text());
            default -> {
                // formatting
            }
        }
    }

    private void write(Paragraph paragraph) {
        String text = paragraph.text.toString();
        if (notes > 0 && !open.isEmpty()) {
            open.peek().notes.add(text);
            return;
        }
        if (table.isOpen()) {
            table.text(text);
            paragraph.notes.forEach(table::text);
            return;
        }
        if (isTitle(paragraph.style)) {
            titled |= !text.isBlank();
            out.text().heading(1, text);
            out.field("title", text);
        } else if (paragraph.level > 0) {
            out.text().heading(titled ? paragraph.level + 1 : paragraph.level, text);
        } else if (lists > 0 && itemBegins) {
            out.text().item(lists - 1, "-", text);
            itemBegins = false;
        } else {
            out.text().paragraph(text);
        }
        paragraph.notes.forEach(out.text()::paragraph);
    }

    private boolean isTitle(String style) {
        String name = style.toLowerCase(Locale.ROOT);
        String parent = parents.getOrDefault(style, "").toLowerCase(Locale.ROOT);
        return name.equals("title") || parent.equals("title");
    }
}
