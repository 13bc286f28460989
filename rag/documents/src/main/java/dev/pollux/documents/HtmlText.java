package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.Range;
import org.jsoup.nodes.TextNode;
import org.jsoup.parser.Parser;
import org.jsoup.select.NodeTraversor;
import org.jsoup.select.NodeVisitor;

/** Reads HTML: the content of a page as Markdown, with the lines of the file as locations. <em>Confined to one thread.</em> */
final class HtmlText implements NodeVisitor {

    /*
     * jsoup builds the tree, which may be of any depth, so it is traversed without recursion. Text is collected until a block
     * begins or ends. A table with another one in it, or with one column, arranges the page and is read as blocks.
     */

    private static final Set<String> BLOCKS = Set.of(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "caption",
            "center",
            "dd",
            "details",
            "dialog",
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "legend",
            "li",
            "main",
            "nav",
            "ol",
            "p",
            "pre",
            "section",
            "summary",
            "table",
            "tbody",
            "td",
            "tfoot",
            "th",
            "thead",
            "tr",
            "ul");

    private static final int MOST_CELLS = 200;
    private static final int LONGEST_CELL = 2_000;

    private final Markdown out;
    private final Guard guard;
    private final boolean lines;
    private final StringBuilder text = new StringBuilder();
    private final Deque<int[]> lists = new ArrayDeque<>(); // number of the last item; -1 without numbers
    private final List<List<String>> rows = new ArrayList<>();
    private final List<Location> rowsAt = new ArrayList<>();
    private boolean itemBegins;
    private Element table; // that is being read; the body outside of one
    private int first;
    private int last;

    private HtmlText(Markdown out, Guard guard, Element root, boolean lines) {
        this.out = out;
        this.guard = guard;
        this.lines = lines;
        this.table = root;
    }

    /** Reads a page of its own, whose locations are its lines. */
    static void page(byte[] bytes, Extracted out) {
        Document page = parse(HtmlCharset.page(bytes), true, out.guard());
        Element title = page.selectFirst("head > title");
        if (title != null) {
            out.field("title", title.text());
        }
        out.field("language", page.select("html").attr("lang"));
        for (Element meta : page.select("meta[name]")) {
            switch (meta.attr("name").toLowerCase(Locale.ROOT)) {
                case "author" -> out.field("author", meta.attr("content"));
                case "description" -> out.field("description", meta.attr("content"));
                case "keywords" -> out.field("keywords", meta.attr("content"));
                case "date", "dcterms.date" -> out.field("date", meta.attr("content"));
                default -> {
                    // for programs
                }
            }
        }
        write(Boilerplate.content(page, out.guard()), out, true);
    }

    /** Adds a chapter of a book or the body of a mail, which has no surroundings. */
    static void part(String html, Extracted out) {
        Document page = parse(html, false, out.guard());
        page.select("script, style, template, head, nav[epub:type=toc]").remove();
        write(page.body(), out, false);
    }

    private static Document parse(String html, boolean positions, Guard guard) {
        Parser parser = Parser.htmlParser()
                .setTrackPosition(positions)
                .setMaxDepth(guard.options().maxDepth());
        return Jsoup.parse(html, parser);
    }

    private static void write(Element root, Extracted out, boolean lines) {
        HtmlText text = new HtmlText(out.text(), out.guard(), root, lines);
        NodeTraversor.traverse(text, root);
        text.flush();
    }

    @Override
    public void head(Node node, int depth) {
        guard.step();
        if (node instanceof TextNode content) {
            text(content);
        } else if (node instanceof Element element) {
            begin(element);
        }
    }

    private void text(TextNode node) {
        String content = node.getWholeText();
        if (!content.isBlank()) {
            lines(node);
        }
        Element parent = node.parent();
        boolean verbatim = parent != null && isIn(parent, "pre");
        text.append(verbatim ? content : content.replaceAll("[\\s\\u00A0]+", " "));
        guard.checkCharacters(text.length());
    }

    private void lines(Node node) {
        Range range = node.sourceRange();
        if (lines && range.isTracked()) {
            first = first == 0 ? range.start().lineNumber() : first;
            last = Math.max(last, range.end().lineNumber());
        }
    }

    private void begin(Element element) {
        String name = element.normalName();
        if (name.equals("br")) {
            text.append('\n');
        } else if (BLOCKS.contains(name)) {
            if (!isInCell(element)) {
                flush();
            } else {
                text.append(' ');
            }
        }
        switch (name) {
            case "ul" -> lists.push(new int[] {-1});
            case "ol" -> lists.push(new int[] {0});
            case "li" -> itemBegins = true;
            case "table" -> {
                if (!inTable() && isData(element)) {
                    table = element;
                    rows.clear();
                    rowsAt.clear();
                }
            }
            case "tr" -> {
                if (inTable()) {
                    rows.add(new ArrayList<>());
                    first = 0;
                    last = 0;
                }
            }
            case "td", "th" -> text.setLength(inTable() ? 0 : text.length());
            default -> {
                // inline
            }
        }
    }

    private boolean inTable() {
        return table.normalName().equals("table");
    }

    /** Whether an element is in the data table that is being read, and not the table, a row or a cell of it itself. */
    private boolean isInCell(Element element) {
        return inTable()
                && !element.equals(table)
                && !Set.of("tr", "td", "th", "tbody", "thead", "tfoot").contains(element.normalName());
    }

    /** Whether a table has rows of data. */
    private static boolean isData(Element table) {
        if (table.select("table").size() > 1) {
            return false;
        }
        boolean wide = false;
        for (Element row : table.select("tr")) {
            int cells = 0;
            for (Element cell : row.children()) {
                cells++;
                if (cells > MOST_CELLS || cell.wholeText().length() > LONGEST_CELL) {
                    return false;
                }
            }
            wide |= cells > 1;
        }
        return wide;
    }

    @Override
    public void tail(Node node, int depth) {
        if (!(node instanceof Element element) || !BLOCKS.contains(element.normalName())) {
            return;
        }
        String name = element.normalName();
        if (inTable()) {
            inTable(element, name);
            return;
        }
        switch (name) {
            case "h1", "h2", "h3", "h4", "h5", "h6" -> {
                place();
                out.heading(name.charAt(1) - '0', text.toString());
                text.setLength(0);
            }
            case "pre" -> {
                place();
                out.code(text.toString());
                text.setLength(0);
            }
            case "ul", "ol" -> {
                flush();
                lists.poll();
            }
            default -> flush();
        }
    }

    private void inTable(Element element, String name) {
        if (element.equals(table)) {
            table = element.ownerDocument() == null
                    ? element
                    : element.ownerDocument().body();
            if (inTable()) {
                table = new Element("body");
            }
            rows();
            text.setLength(0);
        } else if (!rows.isEmpty() && (name.equals("td") || name.equals("th"))) {
            List<String> row = rows.get(rows.size() - 1);
            row.add(text.toString());
            text.setLength(0);
            String span = element.attr("colspan");
            for (int i = 1; span.matches("\\d{1,2}") && i < Integer.parseInt(span); i++) {
                row.add("");
            }
        } else if (name.equals("tr")) {
            rowsAt.add(first == 0 ? Location.whole() : Location.lines(first, Math.max(first, last)));
        } else if (name.equals("caption")) {
            place();
            out.paragraph(text.toString());
            text.setLength(0);
        } else {
            text.append(' ');
        }
    }

    private void rows() {
        out.table();
        for (int i = 0; i < rows.size(); i++) {
            if (lines && i < rowsAt.size() && rowsAt.get(i) instanceof Location.Lines) {
                out.at(rowsAt.get(i));
            }
            out.row(rows.get(i));
        }
        first = 0;
        last = 0;
    }

    private void place() {
        if (lines && first > 0) {
            out.at(Location.lines(first, Math.max(first, last)));
        }
        first = 0;
        last = 0;
    }

    /** Writes the text that has been collected as an item or a paragraph. */
    private void flush() {
        if (text.toString().isBlank()) {
            text.setLength(0);
            return;
        }
        place();
        String content = text.toString();
        text.setLength(0);
        int[] list = lists.peek();
        if (itemBegins && list != null) {
            String mark = list[0] < 0 ? "-" : ++list[0] + ".";
            out.item(lists.size() - 1, mark, content);
            itemBegins = false;
        } else {
            out.paragraph(content);
        }
    }

    private static boolean isIn(Element element, String name) {
        for (Element above = element; above != null; above = above.parent()) {
            if (above.normalName().equals(name)) {
                return true;
            }
        }
        return false;
    }
}
