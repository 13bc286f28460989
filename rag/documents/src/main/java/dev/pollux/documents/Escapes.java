package dev.pollux.documents;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Escapes the characters that Markdown would read as marks. */
final class Escapes {

    /** Titles, rules, underlines of titles, rows and definitions at the beginning of a line. Marks of items and quotes stay. */
    private static final Pattern BLOCK = Pattern.compile(
            "(?:#{1,6}(?=[ \\t]|$)|=+[ \\t]*$|-+[ \\t]*$|(?:[*_-][ \\t]*){3,}$|\\+{3}$|~{3}|\\||:{1,3}(?=[ \\t:]|$)"
                    + "|\\[\\^?[^\\]\\s]{1,100}\\]:).*");

    private static final Pattern INLINE = Pattern.compile(
            "\\\\(?=\\p{Punct})" // an escape
                    + "|<(?=[A-Za-z/!?])" // a tag
                    + "|&(?=#?\\w{1,31};)" // a character reference
                    + "|(?<=\\S)\\*+|\\*+(?=\\S)" // emphasis
                    + "|(?<![\\p{L}\\p{N}_])_+(?=[\\p{L}\\p{N}])|(?<=[\\p{L}\\p{N}])_+(?![\\p{L}\\p{N}_])" // emphasis
                    + "|`|~~|\\](?=\\()");

    private static final String MARKS = "\\<&*_`~]";

    private Escapes() {}

    /** A title, which is one line. */
    static String line(String text) {
        return inline(text);
    }

    /** The lines of a paragraph or an item. */
    static String lines(String text) {
        StringBuilder out = new StringBuilder(text.length() + 8);
        int from = 0;
        while (from <= text.length()) {
            int to = text.indexOf('\n', from);
            to = to < 0 ? text.length() : to;
            String line = inline(text.substring(from, to));
            out.append(from == 0 ? "" : "\n")
                    .append(BLOCK.matcher(line).matches() ? "\\" : "")
                    .append(line);
            from = to + 1;
        }
        return out.toString();
    }

    /** A cell of a table. */
    static String cell(String text) {
        return inline(text.replace('\n', ' ')).replace("|", "\\|");
    }

    private static String inline(String text) {
        boolean marked = text.chars().anyMatch(c -> MARKS.indexOf(c) >= 0);
        return marked ? INLINE.matcher(text).replaceAll(mark -> escaped(mark.group())) : text;
    }

    private static String escaped(String marks) {
        StringBuilder out = new StringBuilder();
        marks.chars().forEach(c -> out.append('\\').append((char) c));
        return Matcher.quoteReplacement(out.toString());
    }
}
