package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Reads plain text, with the titles and the code that its layout shows. <em>Confined to one thread.</em> */
final class PlainReader {

    /*
     * Blank lines separate paragraphs, and so do the marks of questions and answers. Two conventions of plain text, which
     * reStructuredText made into a format, are read too:
     *
     *   title     a line with a line of one repeated punctuation mark under it, perhaps with the same above it. The first
     *             mark that underlines a title is level 1, the next new one level 2, and so on; a mark with a line above
     *             counts as another one.
     *   code      lines that are indented below a paragraph that ends with "::", or below the directive ".. code-block::".
     *
     * A line of marks that belongs to no title is silent, and so is a directive without an argument, such as ".. note::"; the
     * lines below that are text.
     */

    private static final String UNDERLINES = "=-~^\"'`*+#:._";
    private static final int LONGEST_TITLE = 200;
    private static final int LEAST_UNDERLINE = 3;
    private static final int DEEPEST = 6;
    private static final Pattern CODE_DIRECTIVE =
            Pattern.compile("[ \\t]*\\.\\. (?:code|code-block|sourcecode|parsed-literal)::.*");
    private static final String MARKUP = ".. ";
    private static final Pattern DIRECTIVE =
            Pattern.compile("[ \\t]*\\.\\. (?!code|sourcecode|parsed-literal)[\\w:-]+::[ \\t]*");
    private static final Pattern COLUMNS = Pattern.compile("\\S[ \\t]{2,}\\S|\\t");

    private final String text;
    private final Lines lines;
    private final BlockSink out;
    private final Containers none = new Containers();
    private final List<String> styles = new ArrayList<>(); // of titles, by level
    private int line;
    private int first = -1; // line of the open paragraph
    private boolean labelled; // whether it begins as a question or an answer

    private PlainReader(String text) {
        this.text = text;
        this.lines = new Lines(text);
        this.out = new BlockSink(text, lines);
    }

    static Reading read(String text) {
        return new PlainReader(text).read();
    }

    private Reading read() {
        while (line < lines.count()) {
            String shown = lines.line(line);
            boolean blank = shown.isBlank();
            if (blank || labelled && Labels.marks(shown.strip())) {
                endParagraph();
            }
            if (blank) {
                line++;
            } else if (first >= 0 || !title() && !silent(shown) && !code(shown)) {
                extend(shown);
            }
        }
        endParagraph();
        return out.reading();
    }

    private void extend(String shown) {
        if (first < 0) {
            first = line;
            labelled = Labels.marks(shown.strip());
        }
        line++;
        boolean last = line == lines.count() || lines.line(line).isBlank();
        if (last
                && shown.stripTrailing().endsWith("::")
                && !lines.line(first).strip().startsWith(MARKUP)) {
            int indent = indent(first);
            endParagraph();
            literal(indent);
        }
    }

    private void endParagraph() {
        if (first >= 0) {
            add(Kind.PARAGRAPH, first, line);
            first = -1;
            labelled = false;
        }
    }

    private void add(Kind kind, int from, int to) {
        none.leaf();
        out.add(kind, new Extent(lines.start(from), lines.end(to - 1), from, to), none.next());
    }

    private boolean title() {
        boolean over = isUnderline(line);
        int at = over ? line + 1 : line;
        if (at + 1 >= lines.count() || !isUnderline(at + 1)) {
            return false;
        }
        String title = lines.line(at).strip();
        String under = lines.line(at + 1).strip();
        boolean fits = !title.isEmpty()
                && title.length() <= LONGEST_TITLE
                && under.length() * 2 >= title.length()
                && title.codePoints().anyMatch(Character::isLetterOrDigit)
                && !COLUMNS.matcher(title).find();
        if (!fits || over && !lines.line(line).strip().equals(under) || !over && indent(at) > 0) {
            return false;
        }
        String style = under.charAt(0) + (over ? "-" : "");
        if (!styles.contains(style)) {
            styles.add(style);
        }
        none.leaf();
        int level = Math.min(DEEPEST, styles.indexOf(style) + 1);
        out.heading(level, new Extent(lines.start(at), lines.end(at), line, at + 2), none.next());
        line = at + 2;
        return true;
    }

    private boolean silent(String shown) {
        if (!isUnderline(line) && !DIRECTIVE.matcher(shown).matches()) {
            return false;
        }
        add(Kind.SILENT, line, line + 1);
        line++;
        return true;
    }

    private boolean code(String shown) {
        if (!CODE_DIRECTIVE.matcher(shown).matches()) {
            return false;
        }
        add(Kind.SILENT, line, line + 1);
        int indent = indent(line++);
        literal(indent);
        return true;
    }

    /** The lines that follow, as far as they are indented by more than {@code indent}, as code. */
    private void literal(int indent) {
        int begin = line;
        while (begin < lines.count() && lines.line(begin).isBlank()) {
            begin++;
        }
        int to = begin;
        for (int i = begin; i < lines.count() && (lines.line(i).isBlank() || indent(i) > indent); i++) {
            to = lines.line(i).isBlank() ? to : i + 1;
        }
        if (to > begin) {
            add(Kind.CODE, begin, to);
            line = to;
        }
    }

    private int indent(int index) {
        int start = lines.start(index);
        int at = start;
        while (at < lines.end(index) && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at - start;
    }

    private boolean isUnderline(int index) {
        String shown = lines.line(index).stripTrailing();
        return shown.length() >= LEAST_UNDERLINE
                && UNDERLINES.indexOf(shown.charAt(0)) >= 0
                && shown.chars().allMatch(c -> c == shown.charAt(0));
    }
}
