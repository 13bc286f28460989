package dev.pollux.documents;

/** White space and invisible characters of extracted text. */
final class Spaces {

    private static final String INVISIBLE = "\u00AD\u200B\u2060\uFEFF\u0000";

    private Spaces() {}

    /**
     * The text with each run of blanks as one, without blanks at the ends of lines, without empty lines, soft hyphens and other
     * characters that have no width.
     */
    static String collapse(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean blank = false;
        boolean line = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' || c == '\u2028' || c == '\u2029' || c == '\u000B' || c == '\f') {
                line = true;
            } else if (Character.isWhitespace(c) || Character.isSpaceChar(c)) {
                blank = true;
            } else if (INVISIBLE.indexOf(c) < 0 && !Character.isISOControl(c)) {
                if (!out.isEmpty() && (line || blank)) {
                    out.append(line ? '\n' : ' ');
                }
                out.append(c);
                line = false;
                blank = false;
            }
        }
        return out.toString();
    }
}
