package dev.pollux.internal.text;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Recognizes the start of a Markdown line. Every pattern takes linear time: none has nested repetition. */
final class Syntax {

    static final Pattern ATX = Pattern.compile("(#{1,6})(?:[ \\t]+(.*))?");
    static final Pattern UNDERLINE = Pattern.compile("(?:=+|-+)[ \\t]*");
    static final Pattern FENCE = Pattern.compile("(`{3,}(?=[^`]*$)|~{3,}).*");
    static final Pattern ALERT = Pattern.compile("\\[!\\p{L}{1,20}\\][+-]?[ \\t]*");

    private static final Pattern MARK = Pattern.compile("([-*+•]|(\\d{1,9})([.)]))(?=[ \\t]|$)");
    private static final Pattern TASK = Pattern.compile("\\[[ xX]\\][ \\t]+");
    private static final Pattern NOTE = Pattern.compile("\\[\\^([^\\]\\s]{1,100})\\]:");
    private static final Pattern LINK =
            Pattern.compile("\\[(?!\\^)[^\\[\\]]{1,200}\\]:[ \\t]*(<[^<>]*>|[^\\s<]\\S*)[ \\t]*(.*)");
    private static final Pattern TITLE = Pattern.compile("\"[^\"]*\"|'[^']*'|\\([^()]*\\)");

    /**
     * A list mark.
     *
     * @param length its characters
     * @param number of an ordered item, 0 of another
     * @param type the bullet, or what ends the number
     * @param ordered whether it is a number
     */
    record Mark(int length, int number, char type, boolean ordered) {}

    private Syntax() {}

    /** The list mark that {@code rest} begins with. */
    static @Nullable Mark mark(String rest) {
        Matcher mark = MARK.matcher(rest);
        if (!mark.lookingAt()) {
            return null;
        }
        boolean ordered = mark.group(2) != null;
        return ordered
                ? new Mark(
                        mark.end(),
                        Integer.parseInt(mark.group(2)),
                        mark.group(3).charAt(0),
                        true)
                : new Mark(mark.end(), 0, rest.charAt(0), false);
    }

    /** The characters of a task's box at the beginning, with the space after it. */
    static int task(String rest) {
        Matcher task = TASK.matcher(rest);
        return task.lookingAt() ? task.end() : 0;
    }

    /** The label of the footnote that a line defines; empty where it defines none. */
    static String note(String rest) {
        Matcher note = NOTE.matcher(rest);
        return note.lookingAt() ? note.group(1) : "";
    }

    /** Whether a line is a link definition: label, destination, perhaps a title, and no word more. */
    static boolean isLinkDefinition(String rest) {
        Matcher link = LINK.matcher(rest.stripTrailing());
        return link.matches() && (link.group(2).isEmpty() || isTitle(link.group(2)));
    }

    static boolean isTitle(String rest) {
        return TITLE.matcher(rest.strip()).matches();
    }

    static boolean isRule(String rest) {
        String marks = rest.strip();
        if (marks.startsWith(":::")) {
            return true; // the fence of a container, of which some renderers know
        }
        int count = 0;
        for (int i = 0; i < marks.length(); i++) {
            char c = marks.charAt(i);
            if (c == marks.charAt(0)) {
                count++;
            } else if (c != ' ' && c != '\t') {
                return false;
            }
        }
        return count >= 3 && "*-_".indexOf(marks.charAt(0)) >= 0;
    }

    /** Whether an indented line is a sentence: of several words, ending as sentences do, without the marks of code. */
    static boolean isProse(String rest) {
        String shown = rest.strip();
        return shown.chars().filter(c -> c == ' ').count() >= 4
                && Character.isUpperCase(shown.codePointAt(0))
                && ".!?:,".indexOf(shown.charAt(shown.length() - 1)) >= 0
                && shown.chars().noneMatch(c -> "{}=<>;$\\|".indexOf(c) >= 0);
    }

    /** Whether a line is the delimiter row of a table: cells of dashes with colons at their ends. */
    static boolean isDelimiterRow(String rest) {
        boolean dash = false;
        for (int i = 0; i < rest.length(); i++) {
            char c = rest.charAt(i);
            dash |= c == '-';
            if ("|-: \t+".indexOf(c) < 0) {
                return false;
            }
        }
        return dash && (rest.indexOf('|') >= 0 || rest.indexOf(':') >= 0);
    }
}
