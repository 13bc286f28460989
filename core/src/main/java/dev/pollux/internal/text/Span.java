package dev.pollux.internal.text;

import java.lang.Character.UnicodeScript;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;

/**
 * A run of one kind of writing in a text: a word, or a stretch of words without spaces between them.
 *
 * @param start first character in the text
 * @param end one past the last
 */
record Span(int start, int end, Kind kind) {

    /*
     * A word is a run of letters, digits and their marks, also of characters that stand for letters or digits (NFKC). These
     * belong to it: an apostrophe between Cyrillic letters or in n't; points between single letters (U.S.); signs that group
     * digits, and points and commas between them, which Numbers reads; ++ or # after a single letter; a superscript digit
     * after at most three letters (m²) and every subscript one (CO₂). A superscript after a longer word is the mark of a
     * footnote. Every other character ends it, so that an elided article (l'eau) and the s of model's are words of their
     * own.
     */

    enum Kind {
        WORD,
        HAN,
        HIRAGANA,
        KATAKANA,
        HANGUL,
        THAI,
        /** Lao, Khmer, Burmese and others without spaces, for which the JDK has no dictionary. */
        SYLLABLES,
        NONE
    }

    private static final String APOSTROPHES = "'’ʼʻ＇‘`´";

    private static final int SYMBOL_FOR_UNIT = 3;

    private static final int ZERO_WIDTH_SPACE = 0x200B;

    /** The runs of {@code text}, in order. */
    static List<Span> of(String text) {
        List<Span> spans = new ArrayList<>();
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            Kind kind = kind(c);
            if (kind == Kind.NONE) {
                i += Character.charCount(c);
                continue;
            }
            int end = kind == Kind.WORD ? wordEnd(text, i) : runEnd(text, i, kind);
            spans.add(new Span(i, end, kind));
            i = end;
        }
        return spans;
    }

    static boolean isApostrophe(int c) {
        return APOSTROPHES.indexOf(c) >= 0;
    }

    private static int runEnd(String text, int start, Kind kind) {
        int i = start;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            boolean joined = isMark(c) || isIgnored(c) || c == 'ー' && kind != Kind.HAN;
            if (!joined && kind(c) != kind) {
                break;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    private static int wordEnd(String text, int start) {
        int i = start;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            boolean inside = kind(c) == Kind.WORD && !isFootnote(text, start, i, c);
            if (!inside && (i == start || !isMark(c) && !isIgnored(c) && !joins(text, start, i, c))) {
                break;
            }
            i += Character.charCount(c);
        }
        return Math.max(i, start + Character.charCount(text.codePointAt(start)));
    }

    /** Whether a non-letter is part of a word. */
    private static boolean joins(String text, int start, int i, int c) {
        if (i + 1 >= text.length() && c != '#') {
            return false;
        }
        if (c == '+' || c == '#') {
            boolean letter = i - start == 1 && Character.isLetter(text.charAt(start));
            return c == '#'
                    ? letter && (i + 1 == text.length() || kind(text.codePointAt(i + 1)) == Kind.NONE)
                    : letter && text.charAt(i + 1) == '+' || text.charAt(i - 1) == '+' && i - start == 2;
        }
        char before = text.charAt(i - 1);
        int after = text.codePointAt(i + 1);
        if (Character.isDigit(text.codePointBefore(i)) && Character.isDigit(after)) {
            return c == '.' || c == ',' || isGrouping(c) && threeDigits(text, start, i);
        }
        if (c == '.') {
            return isAcronym(text, start, i);
        }
        if (!isApostrophe(c)) {
            return false;
        }
        boolean not = (before == 'n' || before == 'N') && (after == 't' || after == 'T');
        boolean notEnds = i + 2 >= text.length() || kind(text.codePointAt(i + 2)) == Kind.NONE;
        return not && notEnds && i - start >= 2
                || UnicodeScript.of(before) == UnicodeScript.CYRILLIC
                        && UnicodeScript.of(after) == UnicodeScript.CYRILLIC;
    }

    private static boolean isGrouping(int c) {
        return c == 0xA0 || c == 0x202F || c == 0x2009 || c == '\'' || c == '’' || c == '٬';
    }

    /** Whether at most three digits come before in their group and exactly three after. */
    private static boolean threeDigits(String text, int start, int i) {
        int before = i;
        while (before > start && Character.isDigit(text.charAt(before - 1))) {
            before--;
        }
        int after = i + 1;
        while (after < text.length() && Character.isDigit(text.charAt(after))) {
            after++;
        }
        return i - before <= 3 && after - i == 4;
    }

    /** Whether a point follows a single letter and comes before another: U.S., e.g. */
    private static boolean isAcronym(String text, int start, int i) {
        boolean single = Character.isLetter(text.charAt(i - 1)) && (i - 1 == start || text.charAt(i - 2) == '.');
        boolean next = Character.isLetter(text.charAt(i + 1))
                && (i + 2 >= text.length() || !Character.isLetterOrDigit(text.charAt(i + 2)));
        return single && next;
    }

    /** Whether a superscript digit follows a word that is too long for a unit. */
    private static boolean isFootnote(String text, int start, int i, int c) {
        boolean superscript = c == '²' || c == '³' || c == '¹' || c >= 0x2070 && c <= 0x2079;
        return superscript
                && i > start
                && (i - start > SYMBOL_FOR_UNIT || !Character.isLetter(text.codePointBefore(i)));
    }

    private static boolean isMark(int c) {
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK
                || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK;
    }

    /** Soft hyphens, joiners and marks of direction, which may stand in a word. */
    private static boolean isIgnored(int c) {
        return Character.getType(c) == Character.FORMAT && c != ZERO_WIDTH_SPACE;
    }

    private static Kind kind(int c) {
        if (c < 0x80) {
            return Character.isLetterOrDigit(c) ? Kind.WORD : Kind.NONE;
        }
        if (isApostrophe(c) || isMark(c) || !Character.isLetterOrDigit(c) && !standsForLetter(c)) {
            return Kind.NONE;
        }
        if (Character.isIdeographic(c)) {
            return Kind.HAN;
        }
        return switch (UnicodeScript.of(c)) {
            case HIRAGANA -> Kind.HIRAGANA;
            case KATAKANA -> Kind.KATAKANA;
            case HANGUL -> Kind.HANGUL;
            case THAI -> Kind.THAI;
            case LAO, KHMER, MYANMAR, TAI_LE, NEW_TAI_LUE, TAI_THAM, TIBETAN, JAVANESE -> Kind.SYLLABLES;
            default -> c == 'ー' || c == 'ｰ' ? Kind.KATAKANA : Kind.WORD;
        };
    }

    /**
     * Circled letters, fractions, units: characters that compatibility normalization maps to letters and digits, except ™.
     */
    private static boolean standsForLetter(int c) {
        int type = Character.getType(c);
        if (type != Character.OTHER_NUMBER && type != Character.OTHER_SYMBOL || c == '™' || c == '℠') {
            return false;
        }
        String plain = Normalizer.normalize(Character.toString(c), Normalizer.Form.NFKC);
        return Character.isLetterOrDigit(plain.codePointAt(0)) && plain.codePointAt(0) != c;
    }
}
