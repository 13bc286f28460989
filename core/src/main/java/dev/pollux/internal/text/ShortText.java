package dev.pollux.internal.text;

/** Texts in a few words, for {@code toString}. */
public final class ShortText {

    /** Most characters of a text that are shown. */
    static final int LENGTH = 60;

    private ShortText() {}

    /** The beginning of a text on one line in quotation marks, with an ellipsis if shortened. */
    public static String of(String text) {
        StringBuilder line = new StringBuilder();
        boolean gap = false;
        int end = 0;
        while (end < text.length() && line.length() <= LENGTH) {
            int c = text.codePointAt(end);
            end += Character.charCount(c);
            boolean blank = Character.isWhitespace(c) || Character.isSpaceChar(c) || Character.isISOControl(c);
            if (!blank) {
                line.append(gap && !line.isEmpty() ? " " : "").appendCodePoint(c);
            }
            gap = blank;
        }
        if (line.length() <= LENGTH) {
            return '"' + line.toString() + '"';
        }
        int cut = line.offsetByCodePoints(0, line.codePointCount(0, LENGTH));
        return '"' + line.substring(0, cut).strip() + "…\"";
    }

    /** A number of things: {@code 1 citation}, {@code 2 citations}. */
    public static String count(int number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }
}
