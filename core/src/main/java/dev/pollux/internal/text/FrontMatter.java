package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Metadata before the first line of a document: YAML between lines of {@code ---}, or TOML between lines of {@code +++}.
 * Only scalars and flat lists of the outermost level are read; nested values are ignored.
 */
public final class FrontMatter {

    private static final int MOST_LINES = 400;
    private static final int MOST_KEYS = 64;
    private static final int LONGEST_VALUE = 500;

    private static final Pattern YAML = Pattern.compile("([\\p{L}_\"'][\\p{L}\\p{N}_ .\"'-]{0,80}):(?:[ \\t]+(.*))?");
    private static final Pattern TOML = Pattern.compile("([\\p{L}\\p{N}_\"'.-]{1,80})[ \\t]*=[ \\t]*(.*)");
    private static final Pattern FOLDED = Pattern.compile("[|>][+-]?\\d?");

    private FrontMatter() {}

    /** One past the last line of the front matter of a document; 0 where it has none. */
    static int endLine(Lines lines) {
        String mark = lines.line(0).stripTrailing();
        boolean yaml = mark.equals("---");
        if (!yaml && !mark.equals("+++")) {
            return 0;
        }
        for (int i = 1; i < Math.min(lines.count(), MOST_LINES); i++) {
            String line = lines.line(i).stripTrailing();
            if (line.equals(mark) || yaml && line.equals("...")) {
                return i + 1;
            }
            if (!(line.isEmpty() ? i > 1 : isEntry(line, yaml))) {
                return 0; // a rule, and text below it
            }
        }
        return 0;
    }

    private static boolean isEntry(String line, boolean yaml) {
        return " \t#]}".indexOf(line.charAt(0)) >= 0
                || (yaml
                        ? line.startsWith("- ")
                                || line.equals("-")
                                || YAML.matcher(line).matches()
                        : line.charAt(0) == '[' || TOML.matcher(line).matches());
    }

    /** Names in lower case and values of the front matter of {@code text}, lists joined by commas, in their order. */
    public static Map<String, String> fields(String text) {
        return fields(text, list -> String.join(", ", list));
    }

    /**
     * Names in lower case and values of the front matter of {@code text}, in their order.
     *
     * @param joining makes the value of a list of its elements
     */
    public static Map<String, String> fields(String text, Function<List<String>, String> joining) {
        Lines lines = new Lines(text);
        int end = endLine(lines);
        Map<String, String> fields = new LinkedHashMap<>();
        boolean yaml = text.startsWith("---");
        for (int i = 1; i < end - 1 && fields.size() < MOST_KEYS; i++) {
            String line = lines.line(i);
            if (!yaml && line.startsWith("[")) {
                break; // a table: what follows is nested
            }
            Matcher entry = (yaml ? YAML : TOML).matcher(line.stripTrailing());
            if (entry.matches()) {
                String value = value(entry.group(2) == null ? "" : entry.group(2), lines, i, end - 1, joining);
                if (!value.isBlank()) {
                    fields.putIfAbsent(unquoted(entry.group(1)).toLowerCase(Locale.ROOT), value);
                }
            }
        }
        return fields;
    }

    /** An entry as it is shown: name and value, without the marks of its format; verbatim where it is nested. */
    public static String shown(String entry) {
        String mark = YAML.matcher(entry.lines().findFirst().orElse("").stripTrailing())
                        .matches()
                ? "---"
                : "+++";
        return fields(mark + "\n" + entry + "\n" + mark).entrySet().stream()
                .findFirst()
                .map(field -> field.getKey() + ": " + field.getValue())
                .orElse(Inline.plain(entry));
    }

    private static String value(String given, Lines lines, int line, int end, Function<List<String>, String> joining) {
        String value = uncommented(given.strip());
        boolean folded = FOLDED.matcher(value).matches();
        if (value.isEmpty() || folded || value.startsWith("[") && !value.endsWith("]")) {
            List<String> parts = new ArrayList<>();
            boolean list = value.startsWith("[");
            parts.add(list ? value : "");
            for (int i = line + 1; i < end && continues(lines.line(i)); i++) {
                String next = uncommented(lines.line(i).strip());
                if (value.isEmpty() && !next.startsWith("- ")) {
                    return ""; // nested
                }
                parts.add(value.isEmpty() ? unquoted(next.substring(2).strip()) : next);
            }
            parts.removeIf(String::isEmpty);
            if (!folded && !list) {
                return bounded(parts.isEmpty() ? "" : joining.apply(parts));
            }
            value = String.join(" ", parts);
        }
        if (value.startsWith("[") && value.endsWith("]")) {
            List<String> items = list(value);
            boolean nested = items.stream().anyMatch(item -> item.startsWith("[") || item.startsWith("{"));
            return nested || items.isEmpty() ? "" : bounded(joining.apply(items));
        }
        return bounded(unquoted(value));
    }

    /** The value; empty if it is nested, null or too long. */
    private static String bounded(String value) {
        boolean nested = value.startsWith("{") || value.startsWith("[") && !value.endsWith("]");
        return nested || value.equals("null") || value.equals("~") || value.length() > LONGEST_VALUE ? "" : value;
    }

    private static boolean continues(String line) {
        return !line.isBlank()
                && (Character.isWhitespace(line.charAt(0)) || line.startsWith("- ") || line.startsWith("]"));
    }

    /** The elements of a list in brackets; a comma between quotation marks does not end one. */
    private static List<String> list(String value) {
        List<String> items = new ArrayList<>();
        int begin = 1;
        char quote = 0;
        for (int i = 1; i < value.length() && items.size() < MOST_KEYS; i++) {
            char c = value.charAt(i);
            boolean opens = quote == 0
                    && (c == '"' || c == '\'')
                    && value.substring(begin, i).isBlank();
            if (quote == 0 && c == ',' || i == value.length() - 1) {
                String item = value.substring(begin, i).strip();
                if (!item.isEmpty()) {
                    items.add(unquoted(item));
                }
                begin = i + 1;
            }
            quote = opens ? c : c == quote ? 0 : quote;
        }
        return items;
    }

    private static String uncommented(String value) {
        if (value.startsWith("\"") || value.startsWith("'")) {
            int close = value.indexOf(value.charAt(0), 1);
            return close > 0 && value.substring(close + 1).strip().startsWith("#")
                    ? value.substring(0, close + 1)
                    : value;
        }
        int comment = value.startsWith("#") ? 0 : value.indexOf(" #");
        return comment < 0 ? value : value.substring(0, comment).strip();
    }

    private static String unquoted(String value) {
        boolean quoted = value.length() > 1
                && (value.charAt(0) == '"' || value.charAt(0) == '\'')
                && value.charAt(value.length() - 1) == value.charAt(0);
        return quoted ? value.substring(1, value.length() - 1) : value;
    }
}
