package dev.pollux.rag.chunk;

import dev.pollux.rag.chunk.Block.Heading;
import dev.pollux.rag.chunk.Block.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The blocks of a Markdown text, line by line: the block structure of CommonMark 0.31 and the tables of GitHub, as far
 * as cutting needs it. Every line that is not blank is in exactly one block.
 */
final class MarkdownBlocks {

    private static final int MAX_FRONT_MATTER_LINES = 400;
    private static final int MAX_TITLE_LINES = 3;
    private static final int MAX_TITLE_LENGTH = 400;
    private static final Pattern ATX = Pattern.compile(" {0,3}(#{1,6})(?:[ \\t]+(.*))?");
    private static final Pattern CLOSING = Pattern.compile("(?:^|[ \\t]+)#+[ \\t]*$");
    private static final Pattern UNDERLINE = Pattern.compile(" {0,3}(?:=+|-+)[ \\t]*");
    private static final Pattern FENCE = Pattern.compile("(`{3,}(?=[^`]*$)|~{3,}).*");
    private static final Pattern ITEM = Pattern.compile("[ \\t]*(?:[-*+]|\\d{1,9}[.)])(?:[ \\t].*)?");
    private static final Pattern RAW =
            Pattern.compile(" {0,3}<(script|pre|style|textarea|!--)", Pattern.CASE_INSENSITIVE);

    private final Lines lines;
    private final Fences fences;
    private final List<Block> blocks = new ArrayList<>();
    private List<Heading> path = List.of();

    private MarkdownBlocks(Lines lines, Fences fences) {
        this.lines = lines;
        this.fences = fences;
    }

    /** @param fences is told where fenced code stands */
    static List<Block> of(Lines lines, Fences fences) {
        MarkdownBlocks parser = new MarkdownBlocks(lines, fences);
        int line = parser.frontMatter();
        while (line < lines.count()) {
            line = lines.line(line).isBlank() ? line + 1 : parser.block(line);
        }
        return parser.blocks;
    }

    private int frontMatter() {
        String mark = lines.line(0).stripTrailing();
        if (!mark.equals("---") && !mark.equals("+++")) {
            return 0;
        }
        for (int i = 1; i < Math.min(lines.count(), MAX_FRONT_MATTER_LINES); i++) {
            String line = lines.line(i).stripTrailing();
            if (line.equals(mark) || line.equals("...") && mark.equals("---")) {
                return add(Kind.FRONT_MATTER, 0, i + 1);
            }
        }
        return 0;
    }

    /** Takes the block that begins at {@code line} and returns the line after it. */
    private int block(int line) {
        String text = lines.line(line);
        Matcher atx = ATX.matcher(text);
        if (atx.matches()) {
            String title =
                    atx.group(2) == null ? "" : CLOSING.matcher(atx.group(2)).replaceFirst("");
            return heading(atx.group(1).length(), title, line, line + 1);
        }
        Matcher raw = RAW.matcher(text);
        if (raw.lookingAt()) {
            return raw(line, raw.group(1).toLowerCase(Locale.ROOT));
        }
        if (!fence(text).isEmpty()) {
            return add(Kind.LINES, line, fenced(line));
        }
        if (isTable(line)) {
            return add(Kind.LINES, line, run(line));
        }
        if (isItem(text)) {
            return list(line);
        }
        return paragraph(line);
    }

    private int heading(int level, String title, int from, int to) {
        List<Heading> above = new ArrayList<>(path);
        above.removeIf(heading -> heading.level() >= level);
        String shown = title.strip();
        if (shown.length() > MAX_TITLE_LENGTH) {
            shown = shown.substring(0, shown.offsetByCodePoints(0, MAX_TITLE_LENGTH / 2)) + "…";
        }
        above.add(new Heading(level, shown, lines.start(from)));
        path = List.copyOf(above);
        return add(Kind.HEADING, from, to);
    }

    private int raw(int line, String tag) {
        String end = tag.equals("!--") ? "-->" : "</" + tag;
        for (int i = line; i < lines.count(); i++) {
            if (lines.line(i).toLowerCase(Locale.ROOT).contains(end)) {
                return add(Kind.LINES, line, i + 1);
            }
        }
        return paragraph(line);
    }

    /** The line after a fenced block that opens at {@code line}; an unclosed one goes to the end. */
    private int fenced(int line) {
        String fence = fence(lines.line(line));
        String closing = fence.charAt(0) == '`' ? "[\\s>]*`{" : "[\\s>]*~{";
        Pattern close = Pattern.compile(closing + fence.length() + ",}\\s*");
        int i = line + 1;
        while (i < lines.count() && !close.matcher(lines.line(i)).matches()) {
            i++;
        }
        int end = Math.min(i + 1, lines.count());
        fences.add(line, end, fence);
        return end;
    }

    private boolean isTable(int line) {
        return lines.line(line).indexOf('|') >= 0
                && line + 1 < lines.count()
                && lines.line(line + 1).indexOf('-') >= 0
                && only(lines.line(line + 1), "|-: \t");
    }

    private static boolean isItem(String line) {
        return ITEM.matcher(line).matches() && !isRule(line);
    }

    private static boolean isRule(String line) {
        String marks = line.strip();
        return !marks.isEmpty()
                && "*-_".indexOf(marks.charAt(0)) >= 0
                && only(marks, marks.charAt(0) + " \t")
                && marks.chars().filter(c -> c == marks.charAt(0)).limit(3).count() == 3;
    }

    private static boolean only(String line, String allowed) {
        return line.chars().allMatch(c -> allowed.indexOf(c) >= 0);
    }

    /** The fence that a line opens, inside quotes and items too; empty if none. */
    private static String fence(String line) {
        int i = 0;
        while (i < line.length() && " \t>".indexOf(line.charAt(i)) >= 0) {
            i++;
        }
        String rest = line.substring(i);
        if (isItem(rest) && rest.length() > 1) {
            rest = rest.substring(rest.indexOf(' ') + 1).stripLeading();
        }
        Matcher fence = FENCE.matcher(rest);
        return fence.matches() ? fence.group(1) : "";
    }

    /** The first blank line after {@code line}. */
    private int run(int line) {
        int i = line;
        while (i < lines.count() && !lines.line(i).isBlank()) {
            i++;
        }
        return i;
    }

    /** A list goes on over blank lines as long as an item or an indented line follows. */
    private int list(int line) {
        int i = line;
        int end = line;
        boolean afterBlank = false;
        while (i < lines.count()) {
            String text = lines.line(i);
            if (text.isBlank()) {
                afterBlank = true;
                i++;
                continue;
            }
            boolean indented = text.startsWith("  ") || text.startsWith("\t");
            boolean item = isItem(text);
            boolean fence = !fence(text).isEmpty();
            if (!indented && (afterBlank && !item || ATX.matcher(text).matches() || fence)) {
                break;
            }
            i = fence ? fenced(i) : i + 1;
            end = i;
            afterBlank = false;
        }
        return add(Kind.LIST, line, end);
    }

    private int paragraph(int line) {
        int i = line;
        while (i < lines.count()) {
            String text = lines.line(i);
            if (i > line
                    && i - line <= MAX_TITLE_LINES
                    && UNDERLINE.matcher(text).matches()
                    && !isQuote(line)) {
                return heading(text.indexOf('=') >= 0 ? 1 : 2, title(line, i), line, i + 1);
            }
            if (text.isBlank() || i > line && interrupts(i)) {
                break;
            }
            i++;
        }
        return add(Kind.PROSE, line, i);
    }

    private String title(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> lines.line(i).strip()).collect(Collectors.joining(" "));
    }

    private boolean isQuote(int line) {
        return lines.line(line).stripLeading().startsWith(">");
    }

    private boolean interrupts(int line) {
        String text = lines.line(line);
        return ATX.matcher(text).matches()
                || !fence(text).isEmpty()
                || RAW.matcher(text).lookingAt()
                || isTable(line);
    }

    private int add(Kind kind, int from, int to) {
        blocks.add(new Block(kind, lines.start(from), lines.end(to - 1), path));
        return to;
    }
}
