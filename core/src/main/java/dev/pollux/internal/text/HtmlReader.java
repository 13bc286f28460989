package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;

/** Reads comments and raw HTML and separates visible text from hidden text. <em>Confined to one thread.</em> */
final class HtmlReader {

    static final String COMMENT = "<!--";

    private static final String COMMENT_END = "-->";

    private final String text;
    private final BlockSink out;
    private final Set<String> absent = new HashSet<>(); // ends that were searched for and are nowhere behind

    HtmlReader(String text, BlockSink out) {
        this.text = text;
        this.out = out;
    }

    /** One past the end of the comment that begins at {@code from}; -1 where it has none. */
    int commentEnd(int from) {
        int end = find(COMMENT_END, from + COMMENT.length());
        return end < 0 ? -1 : end + COMMENT_END.length();
    }

    /** Where a comment begins between two places of a line, outside of inline code; -1 if none does. */
    int commentIn(int start, int end) {
        boolean code = false;
        for (int i = start; i < end - 3; i++) {
            if (text.charAt(i) == '`') {
                code = !code;
            } else if (!code && text.startsWith(COMMENT, i) && commentEnd(i) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /**
     * One past the raw HTML that begins at {@code start} of a line; -1 where none begins.
     *
     * @param rest the line from there on
     */
    int end(int start, String rest, Lines lines, int line) {
        String name = HtmlTags.block(rest);
        if (name.equals("pre") || HtmlTags.hides(name)) {
            return lineEnd(find("</" + name, start), lines);
        }
        if (rest.startsWith("<?")) {
            return lineEnd(find("?>", start), lines);
        }
        if (rest.startsWith("<!")
                && rest.length() > 2
                && (Character.isLetter(rest.charAt(2)) || rest.charAt(2) == '[')) {
            return lineEnd(find(rest.startsWith("<![CDATA[") ? "]]>" : ">", start), lines);
        }
        if (name.isEmpty() && !HtmlTags.isLoneTag(rest)) {
            return -1;
        }
        int last = line;
        while (last + 1 < lines.count() && !lines.line(last + 1).isBlank()) {
            last++;
        }
        return lines.end(last);
    }

    private static int lineEnd(int offset, Lines lines) {
        return offset < 0 ? -1 : lines.end(lines.at(offset));
    }

    /** Adds the text between the tags. */
    void read(Extent extent, Containers open) {
        int start = extent.start();
        int end = extent.end();
        open.leaf();
        String name = HtmlTags.block(text.substring(start, Math.min(end, start + 40)));
        if (name.equals("pre")) {
            int from = text.indexOf('>', start) + 1;
            int to = from > 0 && from < end ? text.lastIndexOf("</", end) : -1;
            out.add(Kind.CODE, to < from ? extent : extent.of(from, to), open.next());
            return;
        }
        if (HtmlTags.hides(name) || text.startsWith("<?", start) || text.startsWith("<!", start)) {
            out.hide(start, end);
            out.add(Kind.SILENT, extent, open.next());
            return;
        }
        parts(extent, open);
    }

    private void parts(Extent extent, Containers open) {
        Matcher tag = HtmlTags.TAG.matcher(text).region(extent.start(), extent.end());
        int from = extent.start();
        int level = 0;
        boolean any = false;
        while (tag.find()) {
            String name = tag.group(2).toLowerCase(Locale.ROOT);
            if (HtmlTags.parts(name)) {
                any |= part(extent.of(from, tag.start()), level, open);
                from = tag.end();
                level = tag.group(1).isEmpty() ? HtmlTags.level(name) : 0;
            }
        }
        any |= part(extent.of(from, extent.end()), level, open);
        if (!any) {
            out.add(Kind.SILENT, extent, open.next());
        }
    }

    private boolean part(Extent extent, int level, Containers open) {
        boolean any = false;
        int to = extent.end();
        int at = extent.start();
        int comment = indexOf(COMMENT, at, to);
        while (comment >= 0) {
            int end = indexOf(COMMENT_END, comment + COMMENT.length(), to);
            int hiddenTo = end < 0 ? to : end + COMMENT_END.length();
            out.hide(comment, hiddenTo);
            any |= shown(extent.of(at, comment), level, open);
            at = hiddenTo;
            comment = indexOf(COMMENT, at, to);
        }
        return shown(extent.of(at, to), level, open) || any;
    }

    private boolean shown(Extent extent, int level, Containers open) {
        if (HtmlTags.TAG
                .matcher(text.substring(extent.start(), extent.end()))
                .replaceAll("")
                .isBlank()) {
            return false;
        }
        if (level > 0) {
            out.heading(open.depth() == 0 ? level : 0, extent, open.next());
        } else {
            out.add(Kind.PARAGRAPH, extent, open.next());
        }
        return true;
    }

    /** Index of {@code what} from {@code from} on, ignoring case; -1 if absent. A failed search is not repeated. */
    private int find(String what, int from) {
        if (absent.contains(what)) {
            return -1;
        }
        int found = indexOf(what, from, text.length());
        if (found < 0) {
            absent.add(what);
        }
        return found;
    }

    /** Index of {@code what} within a range, ignoring case; -1 if it is not completely inside. */
    private int indexOf(String what, int from, int to) {
        for (int i = from; i <= to - what.length(); i++) {
            if (text.regionMatches(true, i, what, 0, what.length())) {
                return i;
            }
        }
        return -1;
    }
}
