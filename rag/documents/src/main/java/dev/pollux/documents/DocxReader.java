package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads DOCX: ISO/IEC 29500-1, part WordprocessingML. <em>Confined to one thread.</em> */
final class DocxReader {

    /*
     * One pass over the events of the main part. Left out: deleted and moved-away text of tracked changes, field codes, hidden
     * text, comments, headers and footers, the fallback of alternative content, and tables of contents, which repeat headings.
     * Footnotes follow the paragraph that refers to them. Text of text boxes follows the paragraph that holds them.
     */

    /** A paragraph that is open; those of a text box are inside another one. */
    private static final class Paragraph {
        private final StringBuilder text = new StringBuilder();
        private final List<String> notes = new ArrayList<>();
        private String style = "";
        private String outline = "";
        private String list = "";
        private String listLevel = "0";
    }

    private final Parts parts;
    private final Extracted out;
    private final Deque<Paragraph> open = new ArrayDeque<>();
    private final TableCells table = new TableCells();
    private final Map<String, Integer> numbers = new HashMap<>(); // last number, by list and level
    private final Map<String, String> notes = new HashMap<>(); // text of footnotes and endnotes, by kind and id
    private WordStyles styles = new WordStyles();
    private boolean titled;
    private boolean hidden; // whether the open run is

    private DocxReader(Parts parts, Extracted out) {
        this.parts = parts;
        this.out = out;
    }

    static void read(Parts parts, Extracted out) {
        new DocxReader(parts, out).read();
    }

    private void read() {
        OfficeProperties.read(parts, out);
        String main = OfficeProperties.mainPart(parts, "word/document.xml");
        String folder = main.substring(0, main.lastIndexOf('/') + 1);
        styles = WordStyles.of(parts, folder);
        notes(folder + "footnotes.xml", "footnote");
        notes(folder + "endnotes.xml", "endnote");
        out.text().at(Location.whole());
        try (Xml xml = parts.xml(main)) {
            while (xml.next()) {
                if (xml.isStart()) {
                    start(xml);
                } else if (xml.isEnd()) {
                    end(xml.name());
                }
            }
        }
    }

    private void notes(String part, String kind) {
        if (!parts.has(part)) {
            return;
        }
        try (Xml xml = parts.xml(part)) {
            String id = "";
            StringBuilder text = new StringBuilder();
            while (xml.next()) {
                if (xml.starts(kind)) {
                    id = xml.attribute("id");
                    text.setLength(0);
                } else if (xml.starts("t")) {
                    text.append(xml.content());
                } else if (xml.ends("p")) {
                    text.append('\n');
                } else if (xml.ends(kind)) {
                    notes.put(kind + " " + id, text.toString());
                }
            }
        }
    }

    private void start(Xml xml) {
        switch (xml.name()) {
            case "del", "moveFrom", "delText", "instrText", "Fallback", "rt", "annotationRef", "sectPr" -> xml.skip();
            case "p" -> open.push(new Paragraph());
            case "r" -> hidden = false;
            case "vanish" -> hidden = !xml.attribute("val").matches("0|false|off");
            case "tbl" -> table.begin();
            case "tr" -> table.beginRow();
            case "tc" -> table.beginCell();
            case "gridSpan" -> table.span(xml.attribute("val"));
            default -> inParagraph(xml);
        }
    }

    private void inParagraph(Xml xml) {
        Paragraph paragraph = open.peek();
        if (paragraph == null) {
            return;
        }
        switch (xml.name()) {
            case "pStyle" -> paragraph.style = xml.attribute("val");
            case "outlineLvl" -> paragraph.outline = xml.attribute("val");
            case "numId" -> paragraph.list = xml.attribute("val");
            case "ilvl" -> paragraph.listLevel = xml.attribute("val");
            case "t" -> paragraph.text.append(hidden ? "" : xml.content());
            case "tab", "ptab" -> paragraph.text.append(' ');
            case "br", "cr" -> paragraph.text.append('\n');
            case "noBreakHyphen" -> paragraph.text.append('-');
            case "footnoteReference" -> note(paragraph, "footnote " + xml.attribute("id"));
            case "endnoteReference" -> note(paragraph, "endnote " + xml.attribute("id"));
            default -> {
                // formatting
            }
        }
        out.guard().checkCharacters(paragraph.text.length());
    }

    private void note(Paragraph paragraph, String key) {
        String text = notes.remove(key);
        if (text != null) {
            paragraph.notes.add(text);
        }
    }

    private void end(String name) {
        switch (name) {
            case "p" -> {
                Paragraph paragraph = open.poll();
                if (paragraph != null) {
                    write(paragraph);
                }
            }
            case "tc" -> table.endCell();
            case "tr" -> table.endRow();
            case "tbl" -> table.end(out.text());
            default -> {
                // formatting
            }
        }
    }

    private void write(Paragraph paragraph) {
        if (styles.isContents(paragraph.style)) {
            return;
        }
        String text = paragraph.text.toString();
        if (table.isOpen()) {
            table.text(text);
            paragraph.notes.forEach(table::text);
            return;
        }
        int outline = WordStyles.outline(paragraph.outline);
        int level = outline == WordStyles.NO_HEADING ? styles.level(paragraph.style) : outline;
        String list = paragraph.list.isEmpty() ? styles.list(paragraph.style) : paragraph.list;
        boolean item = !list.isEmpty() && !list.equals("0") || styles.isItem(paragraph.style);
        if (level == WordStyles.TITLE) {
            titled |= !text.isBlank();
            out.text().heading(1, text);
            out.field("title", text);
        } else if (level != WordStyles.NO_HEADING) {
            out.text().heading(titled ? level + 1 : level, text);
        } else if (item) {
            item(list, paragraph.listLevel, text);
        } else {
            out.text().paragraph(text);
        }
        paragraph.notes.forEach(out.text()::paragraph);
    }

    private void item(String list, String level, String text) {
        int depth = level.matches("\\d") ? level.charAt(0) - '0' : 0;
        for (int deeper = depth + 1; deeper <= 9; deeper++) {
            numbers.remove(list + " " + deeper);
        }
        boolean numbered = styles.isNumbered(list, level) && !text.isBlank();
        String mark = numbered ? numbers.merge(list + " " + depth, 1, Integer::sum) + "." : "-";
        out.text().item(depth, mark, text);
    }
}
