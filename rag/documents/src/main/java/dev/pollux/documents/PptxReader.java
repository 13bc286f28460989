package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads PPTX: ISO/IEC 29500-1, part PresentationML. A page is a slide. <em>Confined to one thread.</em> */
final class PptxReader {

    private static final String PLACEHOLDERS = "dt|ftr|sldNum|hdr|sldImg";

    /** A shape that is open. */
    private static final class Shape {
        private final List<String> paragraphs = new ArrayList<>();
        private final List<Integer> levels = new ArrayList<>();
        private String placeholder = "";
        private boolean isPlaceholder;
    }

    private final Parts parts;
    private final Extracted out;
    private final TableCells table = new TableCells();
    private Shape shape = new Shape();
    private StringBuilder paragraph = new StringBuilder();
    private int level;

    private PptxReader(Parts parts, Extracted out) {
        this.parts = parts;
        this.out = out;
    }

    static void read(Parts parts, Extracted out) {
        new PptxReader(parts, out).read();
    }

    private void read() {
        OfficeProperties.read(parts, out);
        String main = OfficeProperties.mainPart(parts, "ppt/presentation.xml");
        Map<String, Parts.Relation> relations = parts.relations(main);
        List<String> slides = new ArrayList<>();
        try (Xml xml = parts.xml(main)) {
            while (xml.next()) {
                Parts.Relation slide = xml.starts("sldId") ? relations.get(xml.attribute("id", "relationships")) : null;
                if (slide != null) {
                    slides.add(slide.target());
                }
            }
        }
        out.guard().checkPages(slides.size());
        out.field("pages", String.valueOf(slides.size()));
        for (int i = 0; i < slides.size(); i++) {
            out.text().at(Location.pages(i + 1, i + 1));
            slide(slides.get(i));
        }
    }

    private void slide(String part) {
        try (Xml xml = parts.xml(part)) {
            shapes(xml);
        }
        Optional<String> notes = parts.relations(part).values().stream()
                .filter(relation -> relation.type().equals("notesSlide"))
                .map(Parts.Relation::target)
                .filter(parts::has)
                .findFirst();
        if (notes.isPresent()) {
            try (Xml xml = parts.xml(notes.get())) {
                shapes(xml);
            }
        }
    }

    private void shapes(Xml xml) {
        while (xml.next()) {
            if (xml.isStart()) {
                start(xml);
            } else if (xml.isEnd()) {
                end(xml.name());
            }
        }
    }

    private void start(Xml xml) {
        switch (xml.name()) {
            case "Fallback" -> xml.skip();
            case "sld" -> {
                if (xml.attribute("show").matches("0|false")) {
                    xml.skip(); // a hidden slide
                }
            }
            case "sp" -> shape = new Shape();
            case "ph" -> {
                shape.isPlaceholder = true;
                shape.placeholder = xml.attribute("type");
            }
            case "p" -> {
                paragraph = new StringBuilder();
                level = 0;
            }
            case "pPr" ->
                level = xml.attribute("lvl").matches("[1-8]")
                        ? xml.attribute("lvl").charAt(0) - '0'
                        : level;
            case "t" -> paragraph.append(xml.content());
            case "br" -> paragraph.append('\n');
            case "tbl" -> table.begin();
            case "tr" -> table.beginRow();
            case "tc" -> {
                table.beginCell();
                table.span(xml.attribute("gridSpan"));
            }
            default -> {
                // formatting
            }
        }
    }

    private void end(String name) {
        switch (name) {
            case "p" -> {
                if (table.isOpen()) {
                    table.text(paragraph.toString());
                } else {
                    shape.paragraphs.add(paragraph.toString());
                    shape.levels.add(level);
                }
            }
            case "sp" -> write();
            case "tc" -> table.endCell();
            case "tr" -> table.endRow();
            case "tbl" -> table.end(out.text());
            default -> {
                // formatting
            }
        }
    }

    private void write() {
        Shape done = shape;
        shape = new Shape();
        if (done.placeholder.matches(PLACEHOLDERS)) {
            return;
        }
        if (done.placeholder.equals("title") || done.placeholder.equals("ctrTitle")) {
            out.text().heading(1, String.join(" ", done.paragraphs));
            return;
        }
        boolean body = done.isPlaceholder && (done.placeholder.isEmpty() || done.placeholder.equals("obj"));
        long filled = done.paragraphs.stream().filter(text -> !text.isBlank()).count();
        for (int i = 0; i < done.paragraphs.size(); i++) {
            if (body && filled > 1) {
                out.text().item(done.levels.get(i), "-", done.paragraphs.get(i));
            } else {
                out.text().paragraph(done.paragraphs.get(i));
            }
        }
    }
}
