package dev.pollux.inference.template;

import java.util.Map;

/** HTML turned into text, for the filter {@code striptags}. */
final class Html {

    private static final Map<String, String> NAMED = Map.ofEntries(
            Map.entry("amp", "&"),
            Map.entry("lt", "<"),
            Map.entry("gt", ">"),
            Map.entry("quot", "\""),
            Map.entry("apos", "'"),
            Map.entry("nbsp", "\u00a0"),
            Map.entry("copy", "\u00a9"),
            Map.entry("reg", "\u00ae"),
            Map.entry("laquo", "\u00ab"),
            Map.entry("raquo", "\u00bb"),
            Map.entry("middot", "\u00b7"),
            Map.entry("ndash", "\u2013"),
            Map.entry("mdash", "\u2014"),
            Map.entry("lsquo", "\u2018"),
            Map.entry("rsquo", "\u2019"),
            Map.entry("ldquo", "\u201c"),
            Map.entry("rdquo", "\u201d"),
            Map.entry("bull", "\u2022"),
            Map.entry("hellip", "\u2026"),
            Map.entry("euro", "\u20ac"));

    private static final int LONGEST_NAME = 8;

    private Html() {}

    /** Without comments and tags, whitespace made one space each, the commonest entities resolved. */
    static String withoutTags(String html, Budget budget) {
        budget.allocate(html.length());
        String text = without(without(html, "<!--", "-->"), "<", ">");
        StringBuilder spaced = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!CodePoints.isSpace(c)) {
                spaced.append(c);
            } else if (spaced.length() > 0 && spaced.charAt(spaced.length() - 1) != ' ') {
                spaced.append(' ');
            }
        }
        return unescape(CodePoints.stripEnd(spaced.toString()));
    }

    private static String without(String text, String open, String close) {
        StringBuilder rest = new StringBuilder();
        int at = 0;
        while (true) {
            int from = text.indexOf(open, at);
            int to = from < 0 ? -1 : text.indexOf(close, from);
            if (to < 0) {
                return rest.append(text, at, text.length()).toString();
            }
            rest.append(text, at, from);
            at = to + close.length();
        }
    }

    private static String unescape(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            int end = text.charAt(i) == '&'
                    ? text.substring(i, Math.min(text.length(), i + LONGEST_NAME + 2))
                            .indexOf(';')
                    : -1;
            String character = end < 0 ? "" : entity(text.substring(i + 1, i + end));
            if (character.isEmpty()) {
                out.append(text.charAt(i));
            } else {
                out.append(character);
                i += end;
            }
        }
        return out.toString();
    }

    private static String entity(String name) {
        if (!name.startsWith("#")) {
            return NAMED.getOrDefault(name, "");
        }
        boolean hex = name.startsWith("#x") || name.startsWith("#X");
        try {
            int code = Integer.parseInt(name.substring(hex ? 2 : 1), hex ? 16 : 10);
            return Character.isValidCodePoint(code) && code > 0 ? Character.toString(code) : "\ufffd";
        } catch (NumberFormatException e) {
            return "";
        }
    }
}
