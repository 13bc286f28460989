package dev.pollux.inference.template;

/** Strings as Python sees them: sequences of code points, whatever Java's units are. */
final class CodePoints {

    private CodePoints() {}

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** The unit where code point {@code index} begins; {@code index} in [0, length]. */
    static int offset(String text, int index) {
        return text.offsetByCodePoints(0, index);
    }

    static String substring(String text, int from, int to) {
        int begin = offset(text, from);
        return text.substring(begin, text.offsetByCodePoints(begin, to - from));
    }

    /** Order by code point, which differs from Java's beyond the basic plane. */
    static int compare(String a, String b) {
        int n = Math.min(a.length(), b.length());
        for (int i = 0; i < n; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean surrogateX = Character.isSurrogate(x);
                return surrogateX == Character.isSurrogate(y) ? Character.compare(x, y) : surrogateX ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /** Python's whitespace: {@code str.isspace} and {@code \s}. */
    static boolean isSpace(int c) {
        return c == ' '
                || c >= 9 && c <= 13
                || c >= 0x1c && c <= 0x1f
                || c == 0x85
                || c >= 0xa0 && Character.isSpaceChar(c);
    }

    /** The line ends of {@code str.splitlines}. */
    static boolean isLineEnd(char c) {
        return c >= 10 && c <= 13 || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    static String stripStart(String text) {
        int from = 0;
        while (from < text.length() && isSpace(text.charAt(from))) {
            from++;
        }
        return text.substring(from);
    }

    static String stripEnd(String text) {
        int to = text.length();
        while (to > 0 && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(0, to);
    }

    /** Whether {@code repr} shows it as it is. */
    static boolean isPrintable(int c) {
        return c == ' '
                || switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }

    /**
     * The first place of {@code needle} at or after {@code from}, or -1, in time proportional to both lengths whatever
     * they hold (Knuth, Morris, Pratt: Fast pattern matching in strings, 1977); {@link String#indexOf} is quadratic.
     */
    static int indexOf(String text, String needle, int from) {
        if (needle.length() <= 16) {
            return text.indexOf(needle, from);
        }
        int[] fallback = fallbacks(needle);
        int matched = 0;
        for (int i = from; i < text.length(); i++) {
            while (matched > 0 && text.charAt(i) != needle.charAt(matched)) {
                matched = fallback[matched - 1];
            }
            if (text.charAt(i) == needle.charAt(matched) && ++matched == needle.length()) {
                return i - matched + 1;
            }
        }
        return -1;
    }

    /** The last place of {@code needle} that ends at or before {@code to}, or -1; linear as {@link #indexOf}. */
    static int lastIndexOf(String text, String needle, int to) {
        if (needle.length() <= 16) {
            return text.lastIndexOf(needle, to - needle.length());
        }
        String reversed = new StringBuilder(needle).reverse().toString();
        // StringBuilder.reverse keeps surrogate pairs in order in both, so matches correspond.
        String head = text.substring(0, Math.max(0, to));
        int found = indexOf(new StringBuilder(head).reverse().toString(), reversed, 0);
        return found < 0 ? -1 : head.length() - found - needle.length();
    }

    /** For each prefix of {@code needle} the length of its longest proper prefix that is also its suffix. */
    private static int[] fallbacks(String needle) {
        int[] fallback = new int[needle.length()];
        int matched = 0;
        for (int i = 1; i < needle.length(); i++) {
            while (matched > 0 && needle.charAt(i) != needle.charAt(matched)) {
                matched = fallback[matched - 1];
            }
            if (needle.charAt(i) == needle.charAt(matched)) {
                matched++;
            }
            fallback[i] = matched;
        }
        return fallback;
    }
}
