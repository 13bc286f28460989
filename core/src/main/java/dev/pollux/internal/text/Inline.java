package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Converts inline Markdown to its visible text. Links and images become their text; emphasis, tags, escapes and entities
 * their rendered form; line ends spaces. Inline code keeps its backticks. Struck text keeps its tildes, since the bare text
 * would state the opposite. <em>Confined to one thread.</em>
 */
public final class Inline {

    private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    private static final int LONGEST_TARGET = 2_000;

    private static final Pattern ENTITY = Pattern.compile("&(#\\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});");
    private static final Pattern AUTOLINK =
            Pattern.compile("<((?:https?|ftp|mailto):[^<>\\s]{1,2000}|[^<>\\s@]{1,100}@[^<>\\s]{1,200})>");
    private static final Pattern NOTE = Pattern.compile("\\[\\^[^\\]\\s]{1,100}\\]");

    private static final Map<String, String> ENTITIES = Map.ofEntries(
            Map.entry("amp", "&"),
            Map.entry("lt", "<"),
            Map.entry("gt", ">"),
            Map.entry("quot", "\""),
            Map.entry("apos", "'"),
            Map.entry("nbsp", "\u00A0"),
            Map.entry("ndash", "–"),
            Map.entry("mdash", "—"),
            Map.entry("hellip", "…"),
            Map.entry("euro", "€"),
            Map.entry("pound", "£"),
            Map.entry("copy", "©"),
            Map.entry("reg", "®"),
            Map.entry("trade", "™"),
            Map.entry("deg", "°"),
            Map.entry("times", "×"),
            Map.entry("middot", "·"),
            Map.entry("bull", "•"),
            Map.entry("sect", "§"),
            Map.entry("micro", "µ"),
            Map.entry("plusmn", "±"),
            Map.entry("le", "≤"),
            Map.entry("ge", "≥"),
            Map.entry("ne", "≠"),
            Map.entry("rarr", "→"),
            Map.entry("larr", "←"),
            Map.entry("laquo", "«"),
            Map.entry("raquo", "»"),
            Map.entry("lsquo", "‘"),
            Map.entry("rsquo", "’"),
            Map.entry("ldquo", "“"),
            Map.entry("rdquo", "”"),
            Map.entry("auml", "ä"),
            Map.entry("ouml", "ö"),
            Map.entry("uuml", "ü"),
            Map.entry("Auml", "Ä"),
            Map.entry("Ouml", "Ö"),
            Map.entry("Uuml", "Ü"),
            Map.entry("szlig", "ß"),
            Map.entry("eacute", "é"),
            Map.entry("egrave", "è"),
            Map.entry("agrave", "à"),
            Map.entry("ccedil", "ç"),
            Map.entry("ntilde", "ñ"));

    /** A run of emphasis marks in the output. */
    private record Run(int at, char mark, int length) {}

    private final String raw;
    private final StringBuilder out = new StringBuilder();
    private final List<Run> openers = new ArrayList<>();
    private final List<int[]> removed = new ArrayList<>(); // start and end in out
    private int at;
    private int noLinkBefore; // no closing bracket is found for an opening one before here

    private Inline(String raw) {
        this.raw = raw;
    }

    /** The visible text of {@code markdown}, on one line. */
    public static String plain(String markdown) {
        return new Inline(markdown).text();
    }

    /** The visible text of lines in block quotes, without the quote marks. */
    public static String plain(String markdown, int quotes) {
        if (quotes == 0 || markdown.indexOf('>') < 0) {
            return plain(markdown);
        }
        StringBuilder lines = new StringBuilder();
        for (String line : markdown.split("\\R", -1)) {
            String rest = line;
            for (int i = 0;
                    i < quotes && !lines.isEmpty() && rest.stripLeading().startsWith(">");
                    i++) {
                rest = rest.stripLeading().substring(1);
            }
            lines.append(lines.isEmpty() ? "" : "\n").append(rest);
        }
        return plain(lines.toString());
    }

    private String text() {
        while (at < raw.length()) {
            char c = raw.charAt(at);
            if (c == '\\') {
                escape();
            } else if (c == '`') {
                code();
            } else if (c == '*' || c == '_') {
                emphasis(c);
            } else if (c == '[' || c == '!' && at + 1 < raw.length() && raw.charAt(at + 1) == '[') {
                bracket();
            } else if (c == '<') {
                tag();
            } else if (c == '&') {
                entity();
            } else {
                out.append(c);
                at++;
            }
        }
        return spaced(withoutMarks());
    }

    private void escape() {
        boolean escapes = at + 1 < raw.length() && PUNCTUATION.indexOf(raw.charAt(at + 1)) >= 0;
        boolean breaks = at + 1 < raw.length() && (raw.charAt(at + 1) == '\n' || raw.charAt(at + 1) == '\r');
        out.append(escapes ? raw.charAt(at + 1) : breaks ? ' ' : '\\');
        at += escapes || breaks ? 2 : 1;
    }

    /** Inline code verbatim, with its backticks; a lone run of backticks is text. */
    private void code() {
        int marks = run(raw, at, '`');
        int close = at + marks;
        while (close < raw.length()) {
            close = raw.indexOf('`', close);
            if (close < 0) {
                break;
            }
            int length = run(raw, close, '`');
            if (length == marks) {
                out.append(raw, at, close + length);
                at = close + length;
                return;
            }
            close += length;
        }
        out.append(raw, at, at + marks);
        at += marks;
    }

    private void emphasis(char mark) {
        int length = run(raw, at, mark);
        int before = at == 0 ? ' ' : raw.codePointBefore(at);
        int after = at + length == raw.length() ? ' ' : raw.codePointAt(at + length);
        boolean left = !Character.isWhitespace(after)
                && (!isPunctuation(after) || Character.isWhitespace(before) || isPunctuation(before));
        boolean right = !Character.isWhitespace(before)
                && (!isPunctuation(before) || Character.isWhitespace(after) || isPunctuation(after));
        boolean opens = left && (mark == '*' || !right || isPunctuation(before));
        boolean closes = right && (mark == '*' || !left || isPunctuation(after));
        int start = out.length();
        out.append(raw, at, at + length);
        at += length;
        int left2 = length;
        while (closes && left2 > 0 && lastOpener(mark) >= 0) {
            int index = lastOpener(mark);
            Run opener = openers.remove(index);
            openers.subList(index, openers.size()).clear();
            int taken = Math.min(left2, opener.length());
            removed.add(new int[] {opener.at() + opener.length() - taken, opener.at() + opener.length()});
            removed.add(new int[] {start + length - left2, start + length - left2 + taken});
            if (opener.length() > taken) {
                openers.add(new Run(opener.at(), mark, opener.length() - taken));
            }
            left2 -= taken;
        }
        if (opens && left2 > 0 && openers.size() < 64) {
            openers.add(new Run(start + length - left2, mark, left2));
        }
    }

    private int lastOpener(char mark) {
        for (int i = openers.size() - 1; i >= 0; i--) {
            if (openers.get(i).mark() == mark) {
                return i;
            }
        }
        return -1;
    }

    /** A link, a picture, a note's number, or a bracket. */
    private void bracket() {
        boolean picture = raw.charAt(at) == '!';
        int open = picture ? at + 1 : at;
        Matcher note = NOTE.matcher(raw).region(open, raw.length());
        if (!picture && note.lookingAt()) {
            at = note.end();
            return;
        }
        boolean wiki = raw.startsWith("[[", open);
        int close = open < noLinkBefore ? -1 : closing(open);
        if (close < 0) {
            noLinkBefore = Math.max(noLinkBefore, open + 1);
            out.append(raw, at, open + 1);
            at = open + 1;
            return;
        }
        int end = wiki && raw.startsWith("]]", close - 1) ? close + 1 : target(close + 1);
        if (end < 0 || picture && wiki) {
            out.append(raw, at, open + 1);
            at = open + 1;
            return;
        }
        String inner = wiki ? raw.substring(open + 2, close - 1) : raw.substring(open + 1, close);
        out.append(plain(wiki ? inner.substring(inner.indexOf('|') + 1) : inner));
        at = end;
    }

    /** The bracket that closes the one at {@code open}; -1 where none does within reach. */
    private int closing(int open) {
        int depth = 0;
        int limit = Math.min(raw.length(), open + LONGEST_TARGET);
        for (int i = open; i < limit; i++) {
            char c = raw.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == '[') {
                depth++;
                if (depth > 4) {
                    return -1;
                }
            } else if (c == ']' && --depth == 0) {
                return i;
            }
        }
        return -1;
    }

    /** One past the target that follows a link's text: {@code (…)} or {@code [label]}; -1 where none follows. */
    private int target(int from) {
        char opening = from < raw.length() ? raw.charAt(from) : 0;
        if (opening != '(' && opening != '[') {
            return -1;
        }
        char closing = opening == '(' ? ')' : ']';
        int depth = 0;
        int limit = Math.min(raw.length(), from + LONGEST_TARGET);
        for (int i = from; i < limit; i++) {
            char c = raw.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == opening) {
                depth++;
            } else if (c == closing && --depth == 0) {
                return i + 1;
            }
        }
        return -1;
    }

    private void tag() {
        Matcher link = AUTOLINK.matcher(raw).region(at, raw.length());
        Matcher tag = HtmlTags.TAG.matcher(raw).region(at, raw.length());
        if (link.lookingAt()) {
            out.append(link.group(1));
            at = link.end();
        } else if (tag.lookingAt()) {
            String name = tag.group(2).toLowerCase(java.util.Locale.ROOT);
            out.append(HtmlTags.parts(name) || name.equals("td") || name.equals("th") ? " " : "");
            at = tag.end();
        } else {
            out.append('<');
            at++;
        }
    }

    private void entity() {
        Matcher entity = ENTITY.matcher(raw).region(at, raw.length());
        String shown = entity.lookingAt() ? decoded(entity.group(1)) : "";
        out.append(shown.isEmpty() ? "&" : shown);
        at = shown.isEmpty() ? at + 1 : entity.end();
    }

    private static String decoded(String name) {
        if (name.charAt(0) != '#') {
            return ENTITIES.getOrDefault(name, "");
        }
        boolean hex = name.charAt(1) == 'x' || name.charAt(1) == 'X';
        int code = Integer.parseInt(name.substring(hex ? 2 : 1), hex ? 16 : 10);
        boolean shown = Character.isValidCodePoint(code) && code >= 0x20 && !(code >= 0xD800 && code <= 0xDFFF);
        return shown ? Character.toString(code) : "";
    }

    private String withoutMarks() {
        if (removed.isEmpty()) {
            return out.toString();
        }
        removed.sort((a, b) -> Integer.compare(a[0], b[0]));
        StringBuilder shown = new StringBuilder();
        int from = 0;
        for (int[] range : removed) {
            shown.append(out, from, range[0]);
            from = range[1];
        }
        return shown.append(out, from, out.length()).toString();
    }

    /** One space for each run of white space, none at the ends, and none for a line end between ideographs. */
    private static String spaced(String text) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < text.length(); ) {
            int end = i;
            boolean breaks = false;
            while (end < text.length() && Character.isWhitespace(text.charAt(end))) {
                breaks |= text.charAt(end) == '\n' || text.charAt(end) == '\r';
                end++;
            }
            if (end == i) {
                shown.append(text.charAt(i++));
                continue;
            }
            boolean inside = !shown.isEmpty() && end < text.length();
            boolean joined =
                    breaks && inside && isWide(shown.codePointBefore(shown.length())) && isWide(text.codePointAt(end));
            shown.append(inside && !joined ? " " : "");
            i = end;
        }
        return shown.toString();
    }

    private static boolean isWide(int c) {
        return Character.isIdeographic(c) || c >= 0x3000 && c <= 0x30FF || c >= 0xFF00 && c <= 0xFF60;
    }

    private static boolean isPunctuation(int c) {
        return !Character.isLetterOrDigit(c) && !Character.isWhitespace(c);
    }

    private static int run(String text, int from, char mark) {
        int i = from;
        while (i < text.length() && text.charAt(i) == mark) {
            i++;
        }
        return i - from;
    }
}
