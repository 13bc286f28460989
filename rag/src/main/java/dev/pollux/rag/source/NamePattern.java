package dev.pollux.rag.source;

/** Matches one part of a {@link PathPattern} against a name. */
final class NamePattern {

    private final String pattern;
    private final String name;

    private NamePattern(String pattern, String name) {
        this.pattern = pattern;
        this.name = name;
    }

    static boolean matches(String pattern, String name) {
        return new NamePattern(pattern, name).matches();
    }

    private boolean matches() {
        int at = 0; // in the name
        int part = 0; // in the pattern
        int star = -1; // one past the last star in the pattern, and from where in the name it was tried last
        int tried = 0;
        while (at < name.length()) {
            int next = part < pattern.length() && pattern.charAt(part) != '*' ? afterOne(part, name.charAt(at)) : -1;
            if (next >= 0) {
                part = next;
                at++;
            } else if (part < pattern.length() && pattern.charAt(part) == '*') {
                star = ++part;
                tried = at;
            } else if (star >= 0) {
                part = star;
                at = ++tried;
            } else {
                return false;
            }
        }
        while (part < pattern.length() && pattern.charAt(part) == '*') {
            part++;
        }
        return part == pattern.length();
    }

    /** The position after the element at {@code from} if it matches the character; else -1. */
    private int afterOne(int from, char c) {
        char p = pattern.charAt(from);
        if (p == '?') {
            return from + 1;
        }
        if (p == '[') {
            return afterSet(from, c);
        }
        if (p == '\\') {
            return from + 1 < pattern.length() && pattern.charAt(from + 1) == c ? from + 2 : -1;
        }
        return p == c ? from + 1 : -1;
    }

    private int afterSet(int from, char c) {
        int i = from + 1;
        boolean negated = i < pattern.length() && (pattern.charAt(i) == '!' || pattern.charAt(i) == '^');
        i += negated ? 1 : 0;
        boolean found = false;
        for (boolean first = true; i < pattern.length() && (first || pattern.charAt(i) != ']'); first = false) {
            int end = pattern.startsWith("[:", i) ? pattern.indexOf(":]", i + 2) : -1;
            if (end >= 0) {
                found |= isOf(pattern.substring(i + 2, end), c);
                i = end + 2;
                continue;
            }
            i += pattern.charAt(i) == '\\' && i + 1 < pattern.length() ? 1 : 0;
            char low = pattern.charAt(i++);
            char high = low;
            if (i + 1 < pattern.length() && pattern.charAt(i) == '-' && pattern.charAt(i + 1) != ']') {
                i += pattern.charAt(i + 1) == '\\' && i + 2 < pattern.length() ? 2 : 1;
                high = pattern.charAt(i++);
            }
            found |= low <= c && c <= high;
        }
        boolean closed = i < pattern.length();
        return closed && found != negated ? i + 1 : -1;
    }

    private static boolean isOf(String set, char c) {
        boolean ascii = c < 128;
        return switch (set) {
            case "alnum" -> ascii && Character.isLetterOrDigit(c);
            case "alpha" -> ascii && Character.isLetter(c);
            case "digit" -> ascii && Character.isDigit(c);
            case "lower" -> ascii && Character.isLowerCase(c);
            case "upper" -> ascii && Character.isUpperCase(c);
            case "space" -> c == ' ' || c >= '\t' && c <= '\r';
            case "blank" -> c == ' ' || c == '\t';
            case "punct" -> ascii && c > ' ' && c != 127 && !Character.isLetterOrDigit(c);
            case "xdigit" -> Character.digit(c, 16) >= 0 && ascii;
            default -> false;
        };
    }
}
