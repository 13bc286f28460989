package dev.pollux.internal.text;

import java.util.Locale;

/**
 * Finds where sentences end in the text of one block. <em>Confined to one thread.</em>
 */
final class SentenceEnds {

    /*
     * A sentence ends with a run of end marks and the closing marks after it, before white space or the end of the block;
     * after an end mark of scripts without spaces it ends in any case. The next word is not reliable, since sentences may
     * begin with npm or iPhones. The word before a full stop decides whether the stop belongs to it (see Abbreviations); the
     * next word decides for ambiguous abbreviations. No sentence ends inside inline code or a link target.
     */

    private static final String MARKS = ".!?…‽؟۔।॥։።᙮";
    private static final String WIDE = "。！？｡．";
    private static final String CLOSING = "\"'”’»›)]}」』）】》*_~`";
    private static final String OPENING = "\"'“‘«‹„‚([{¿¡*_~`「『（【《<";

    private final String flat;
    private final Spans spans;
    private int start;
    private int at;

    /** @param flat a paragraph whose line ends are spaces */
    SentenceEnds(String flat) {
        this.flat = flat;
        this.spans = new Spans(flat);
    }

    /** One past the end of the next sentence; -1 after the last. */
    int next() {
        if (start >= flat.length()) {
            return -1;
        }
        while (at < flat.length()) {
            char c = flat.charAt(at);
            if (c == Sentences.HARD_BREAK) {
                return endsAt(at + 1);
            }
            if (MARKS.indexOf(c) < 0 && WIDE.indexOf(c) < 0) {
                at++;
                continue;
            }
            int marks = at;
            int end = past(past(marks, MARKS + WIDE), CLOSING);
            boolean wide = WIDE.indexOf(flat.charAt(past(marks, MARKS + WIDE) - 1)) >= 0;
            boolean spaced =
                    end == flat.length() || Character.isWhitespace(flat.charAt(end)) || flat.startsWith("[^", end);
            at = end;
            spans.advance(end);
            if ((wide && !isDecimal(marks, end) || spaced && isEnd(marks, end)) && !spans.isOpen()) {
                return endsAt(end);
            }
        }
        return endsAt(flat.length());
    }

    private int endsAt(int end) {
        int after = end;
        while (flat.startsWith("[^", after) && flat.indexOf(']', after) > 0 && flat.indexOf(']', after) < after + 100) {
            after = flat.indexOf(']', after) + 1; // a footnote number belongs to the preceding sentence
        }
        spans.advance(after);
        spans.restart();
        start = after;
        at = after;
        return after;
    }

    private boolean isDecimal(int mark, int end) {
        return flat.charAt(mark) == '．' && end < flat.length() && Character.isDigit(flat.charAt(end));
    }

    private boolean isEnd(int marks, int end) {
        int begin = skipSpace(end);
        int first = begin;
        while (first < flat.length() && OPENING.indexOf(flat.charAt(first)) >= 0) {
            first++;
        }
        if (first >= flat.length()) {
            return true;
        }
        int next = flat.codePointAt(first);
        boolean small = Character.isLowerCase(next);
        int length = past(marks, MARKS) - marks;
        char mark = flat.charAt(marks);
        boolean closed = end > marks + length && "\"'”’»›)".indexOf(flat.charAt(marks + length)) >= 0;
        if (small && closed) {
            return false; // "Stop." he said
        }
        if (mark == '…' || length > 1 && flat.startsWith("..", marks)) {
            return !small;
        }
        if (mark == '!') {
            return !(small && isFunctionWord(first)); // Yahoo! is
        }
        return mark != '.' || length > 1 || !belongs(marks, first, next);
    }

    /** Whether the point at {@code point} is part of the word before it. */
    private boolean belongs(int point, int first, int next) {
        int from = wordStart(point);
        String word = flat.substring(from, point);
        if (word.isEmpty()) {
            return false;
        }
        if (word.chars().allMatch(Character::isDigit)) {
            return from == skipOpening(start) && point + 1 < flat.length()
                    || word.length() <= 2 && Abbreviations.isOrdinal(wordBefore(from), word(first));
        }
        int letters = word.codePointCount(0, word.length());
        if (letters == 1 && Character.isLetter(word.charAt(0))) {
            return isLetterBound(word, from, first, next);
        }
        String spaced = wordBefore(from).length() == 1 && from > 1 && isPointBefore(from)
                ? wordBefore(from) + "." + word
                : word;
        boolean acronym = word.indexOf('.') > 0 && word.length() <= 7 && word.equals(word.toUpperCase(Locale.ROOT));
        return Abbreviations.bind(word, next)
                || !spaced.equals(word) && letters <= 4 && (Abbreviations.bind(spaced, next) || letters <= 2)
                || acronym && Character.isUpperCase(next) && !isFunctionWord(first);
    }

    /** A single letter with a point: an initial ({@code J. Doe}), or a part of {@code z. B.} */
    private boolean isLetterBound(String word, int from, int first, int next) {
        if (isPointBefore(from) && wordBefore(from).length() == 1) {
            boolean capital = Character.isUpperCase(word.charAt(0))
                    && Character.isUpperCase(wordBefore(from).charAt(0));
            return !capital || !isFunctionWord(first) || word(first).length() == 1; // z. B., i. d. R.; J. R. R. Smith
        }
        int end = first;
        while (end < flat.length() && Character.isLetter(flat.charAt(end))) {
            end++;
        }
        boolean pointed = end > first && end - first <= 3 && end < flat.length() && flat.charAt(end) == '.';
        if (Character.isLowerCase(word.charAt(0))) {
            return pointed || Abbreviations.bind(word, next);
        }
        return !word.equals("I") && Character.isUpperCase(next) && (pointed || !isFunctionWord(first))
                || Character.isDigit(next) && word.equals("S");
    }

    private boolean isPointBefore(int from) {
        int i = from;
        while (i > start && Character.isWhitespace(flat.charAt(i - 1))) {
            i--;
        }
        return i > start && flat.charAt(i - 1) == '.';
    }

    /** The word that ends before {@code from}, a point after it left out. */
    private String wordBefore(int from) {
        int end = from;
        while (end > start && !Character.isLetterOrDigit(flat.charAt(end - 1))) {
            end--;
        }
        int begin = end;
        while (begin > start && Character.isLetterOrDigit(flat.charAt(begin - 1)) && end - begin < 40) {
            begin--;
        }
        return flat.substring(begin, end);
    }

    private int wordStart(int point) {
        int from = point;
        while (from > start && point - from < 40) {
            char c = flat.charAt(from - 1);
            boolean inside = Character.isLetterOrDigit(c) || (c == '.' || c == '-') && from < point;
            if (!inside) {
                break;
            }
            from--;
        }
        return from;
    }

    private String word(int from) {
        int end = from;
        while (end < flat.length() && Character.isLetterOrDigit(flat.charAt(end))) {
            end++;
        }
        return flat.substring(from, end);
    }

    private boolean isFunctionWord(int from) {
        String word = word(from);
        return !word.isEmpty() && Words.of(word).stream().noneMatch(Words.Word::content);
    }

    private int skipSpace(int from) {
        int i = from;
        while (i < flat.length() && Character.isWhitespace(flat.charAt(i))) {
            i++;
        }
        return i;
    }

    private int skipOpening(int from) {
        int i = skipSpace(from);
        while (i < flat.length() && OPENING.indexOf(flat.charAt(i)) >= 0) {
            i++;
        }
        return i;
    }

    private int past(int from, String marks) {
        int i = from;
        while (i < flat.length() && marks.indexOf(flat.charAt(i)) >= 0) {
            i++;
        }
        return i;
    }

    /** Whether inline code or the target of a link is open at a place. <em>Confined to one thread.</em> */
    private static final class Spans {

        private final String flat;
        private int at;
        private boolean code;
        private boolean link;

        Spans(String flat) {
            this.flat = flat;
        }

        void advance(int to) {
            for (; at < to; at++) {
                char c = flat.charAt(at);
                if (c == '`') {
                    code = !code;
                } else if (!code && c == '(' && at > 0 && flat.charAt(at - 1) == ']') {
                    link = true;
                } else if (c == ')' || c == ' ' && link) {
                    link = false;
                }
            }
        }

        /** A sentence has ended: a lone backtick in it opens nothing. */
        void restart() {
            code = false;
            link = false;
        }

        boolean isOpen() {
            return link || code && flat.indexOf('`', at) >= 0;
        }
    }
}
