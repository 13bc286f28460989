package dev.pollux.documents;

import dev.pollux.documents.PageLayout.Block;
import dev.pollux.documents.Segment.Row;
import dev.pollux.retrieval.Location;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Makes headings, paragraphs, lists and tables of the blocks of pages. <em>Confined to one thread.</em> */
final class PdfText {

    /*
     * A line begins a paragraph if its distance to the line above is larger than the usual one, its font has another size, it is
     * indented, it begins as an item, or the line above ends a sentence far from the right edge. A paragraph goes on in the next
     * column or on the next page if it does not end as a sentence and the continuation does not begin as one.
     *
     * Headings are those of the outline. Without an outline, a short line in a larger font than most of the text is one.
     */

    /** A heading of the outline. */
    record Heading(int level, String title, int page) {}

    private static final float LARGER = 1.4f;
    private static final float OTHER_SIZE = 0.12f;
    private static final float HEADING_SIZE = 1.15f;
    private static final int LONGEST_HEADING = 150;
    private static final int MOST_HEADING_LINES = 3;
    private static final float SHORT_LINE = 0.85f;
    private static final Pattern ITEM =
            Pattern.compile("([•◦▪‣∙·●○■□–*-]|\\d{1,3}[.)]|\\(?[a-z]\\))\\s+(\\S.*)", Pattern.DOTALL);
    private static final String SENTENCE_END = ".!?:;…。！？”\"»)";

    private final Extracted out;
    private final List<Heading> outline;
    private final float body; // the usual size of the font
    private final List<Float> sizes; // of headings, the largest first; only without an outline

    private final StringBuilder paragraph = new StringBuilder();
    private int paragraphPage;
    private @Nullable Row last; // of the open paragraph
    private float step; // distance of its lines, 0 if unknown
    private boolean columnEnded;
    private boolean continued; // whether the open paragraph continues one that is written
    private boolean outlined; // whether a heading of the outline was found
    private int page;
    private float left; // edges of the lines since the column began
    private float right;

    PdfText(Extracted out, List<List<Row>> pages, List<Heading> outline) {
        this.out = out;
        this.outline = new ArrayList<>(outline);
        Map<Float, Integer> characters = new HashMap<>(); // by size
        for (List<Row> rows : pages) {
            for (Row row : rows) {
                characters.merge(rounded(row.size()), row.text().length(), Integer::sum);
            }
        }
        this.body = characters.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(1f);
        this.sizes = characters.keySet().stream()
                .filter(size -> size >= HEADING_SIZE * body)
                .sorted((a, b) -> Float.compare(b, a))
                .toList();
    }

    private static float rounded(float size) {
        return Math.round(size * 2) / 2f;
    }

    /** Adds a page, from 1. */
    void page(int number, List<Block> blocks) {
        page = number;
        columnEnded = true;
        edges(blocks);
        int i = 0;
        while (i < blocks.size()) {
            Block block = blocks.get(i);
            if (block instanceof Block.Line line) {
                int used = heading(blocks, i);
                if (used == 0) {
                    line(line.row());
                }
                i += Math.max(1, used);
            } else {
                if (block instanceof Block.Table table) {
                    flush();
                    out.text().at(Location.pages(page, page));
                    out.text().table();
                    table.rows().forEach(out.text()::row);
                } else {
                    columnEnded = true;
                    edges(blocks.subList(i + 1, blocks.size()));
                }
                i++;
            }
        }
    }

    private void edges(List<Block> blocks) {
        left = Float.POSITIVE_INFINITY;
        right = Float.NEGATIVE_INFINITY;
        for (Block block : blocks) {
            if (block instanceof Block.ColumnEnd) {
                return;
            }
            if (block instanceof Block.Line line) {
                left = Math.min(left, line.row().left());
                right = Math.max(right, line.row().right());
            }
        }
    }

    /** Writes a heading that begins at a block and returns the number of its lines; 0 if there is none. */
    private int heading(List<Block> blocks, int from) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i < blocks.size() && i < from + MOST_HEADING_LINES; i++) {
            if (!(blocks.get(i) instanceof Block.Line line)) {
                break;
            }
            text.append(text.isEmpty() ? "" : " ").append(line.row().text());
            int level = outlineLevel(text.toString());
            if (level > 0) {
                writeHeading(level, text.toString());
                return i - from + 1;
            }
        }
        return outline.isEmpty() || sizes.isEmpty() ? bySize(blocks, from) : 0;
    }

    private int outlineLevel(String text) {
        String key = key(text);
        for (Heading heading : outline) {
            if (heading.page() == page && !key.isEmpty() && key(heading.title()).equals(key)) {
                outline.remove(heading);
                outlined = true;
                return heading.level();
            }
        }
        return 0;
    }

    private static String key(String title) {
        return title.replaceAll("[^\\p{L}\\p{N}]+", "").toLowerCase(Locale.ROOT);
    }

    private int bySize(List<Block> blocks, int from) {
        if (outlined) {
            return 0;
        }
        StringBuilder text = new StringBuilder();
        int used = 0;
        float size = 0;
        for (int i = from; i < blocks.size() && used < MOST_HEADING_LINES; i++) {
            if (!(blocks.get(i) instanceof Block.Line line)
                    || rounded(line.row().size()) < HEADING_SIZE * body) {
                break;
            }
            if (used > 0 && rounded(line.row().size()) != size) {
                break;
            }
            size = rounded(line.row().size());
            text.append(text.isEmpty() ? "" : " ").append(line.row().text());
            used++;
        }
        boolean title =
                used > 0 && text.length() <= LONGEST_HEADING && text.chars().anyMatch(Character::isLetter);
        if (!title) {
            return 0;
        }
        writeHeading(Math.min(3, sizes.indexOf(size) + 1), text.toString());
        return used;
    }

    private void writeHeading(int level, String text) {
        flush();
        out.text().at(Location.pages(page, page));
        out.text().heading(level, text);
    }

    private void line(Row row) {
        Row above = last;
        boolean begins = above == null || (columnEnded ? !continues(row, above) : separates(row, above));
        if (begins) {
            flush();
            paragraphPage = page;
        } else if (page != paragraphPage) {
            turnPage(row);
            return;
        }
        if (!begins && !columnEnded && above != null) {
            step = row.baseline() - above.baseline();
        }
        join(row.text());
        last = row;
        columnEnded = false;
    }

    /** Writes the paragraph so far, with its last word on the next page if the word goes on there. */
    private void turnPage(Row row) {
        int before = paragraph.length();
        int cut = join(row.text()) ? lastWord(paragraph.substring(0, before)) : before;
        String rest = paragraph.substring(cut).strip();
        paragraph.setLength(cut);
        boolean written = continued || !paragraph.toString().isBlank();
        writeParagraph();
        out.text().at(Location.pages(page, page));
        if (written) {
            out.text().more(" ", rest);
        } else {
            paragraph.append(rest);
        }
        continued = written;
        paragraphPage = page;
        last = row;
        columnEnded = false;
    }

    private static int lastWord(String text) {
        return text.lastIndexOf(' ') + 1;
    }

    private boolean continues(Row row, Row above) {
        String before = above.text().stripTrailing();
        int first = row.text().codePointAt(0);
        boolean ended = before.isEmpty() || SENTENCE_END.indexOf(before.charAt(before.length() - 1)) >= 0;
        return !ended && sameSize(row, above) && !ITEM.matcher(row.text()).matches() && !Character.isUpperCase(first);
    }

    private boolean separates(Row row, Row above) {
        float distance = row.baseline() - above.baseline();
        float usual = step > 0 ? step : Math.max(row.size(), above.size()) * LARGER;
        boolean far = distance > (step > 0 ? usual * 1.25f : usual * 1.15f) || distance < 0;
        boolean indented = row.left() - above.left() > row.size() * 0.8f && above.left() - left < row.size() * 0.8f;
        boolean outdented = above.left() - row.left() > row.size() * 0.8f && isItem();
        String before = above.text().stripTrailing();
        boolean ended = !before.isEmpty()
                && SENTENCE_END.indexOf(before.charAt(before.length() - 1)) >= 0
                && above.right() - left < SHORT_LINE * (right - left);
        return far
                || !sameSize(row, above)
                || ITEM.matcher(row.text()).matches()
                || indented && !isItem()
                || outdented
                || ended;
    }

    private boolean isItem() {
        return ITEM.matcher(paragraph).matches();
    }

    private static boolean sameSize(Row a, Row b) {
        return Math.abs(a.size() - b.size()) <= OTHER_SIZE * Math.max(a.size(), b.size());
    }

    /** Adds a line to the paragraph and returns whether its first word was joined with the last one. */
    private boolean join(String line) {
        if (paragraph.isEmpty()) {
            paragraph.append(line);
            return false;
        }
        char end = paragraph.charAt(paragraph.length() - 1);
        boolean hyphen = (end == '-' || end == '\u2010' || end == '\u00AD') && paragraph.length() > 1;
        char before = paragraph.length() > 1 ? paragraph.charAt(paragraph.length() - 2) : ' ';
        int first = line.codePointAt(0);
        if (hyphen && Character.isLetterOrDigit(before) && Character.isLetterOrDigit(first)) {
            String word = paragraph.substring(lastWord(paragraph.toString()), paragraph.length() - 1);
            boolean broken = Character.isLowerCase(before)
                    && Character.isLowerCase(first)
                    && word.indexOf('-') < 0
                    && word.chars().noneMatch(Character::isDigit);
            if (broken || end == '\u00AD') {
                paragraph.setLength(paragraph.length() - 1);
            }
            paragraph.append(line);
            return true;
        }
        boolean dense = Character.isIdeographic(first) && Character.isIdeographic(end);
        paragraph.append(dense ? "" : " ").append(line);
        return dense;
    }

    /** Ends the open paragraph. */
    void flush() {
        writeParagraph();
        last = null;
        step = 0;
        continued = false;
    }

    private void writeParagraph() {
        if (paragraph.isEmpty()) {
            return;
        }
        String text = paragraph.toString();
        paragraph.setLength(0);
        if (continued) {
            out.text().more(" ", text);
            return;
        }
        out.text().at(Location.pages(paragraphPage, paragraphPage));
        Matcher item = ITEM.matcher(text);
        if (item.matches()
                && !Character.isDigit(text.charAt(0))
                && item.group(1).length() == 1) {
            out.text().item(0, "-", item.group(2));
        } else {
            out.text().paragraph(text);
        }
    }
}
