package dev.pollux.internal.text;

import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Splits Markdown and plain text into sentences whose offsets hold in the text as it was given.
 *
 * <p>Blocks come first ({@link MarkdownBlocks}); inside a paragraph or list item sentences end where
 * {@link BreakIterator} has them, except after an abbreviation or an initial, before a lower-case letter, and inside
 * inline code or a link. Nothing is longer than {@value #LONGEST} characters: longer sentences are cut after a semicolon
 * or comma, else at a space, code at a line. What holds no letter and no digit is left out. <em>Stateless,
 * thread-safe.</em>
 */
public final class Sentences {

    /** The most characters of one sentence: some 150 tokens of English, well inside what embedding models read. */
    public static final int LONGEST = 600;

    private static final Set<String> ABBREVIATIONS = Set.of(
            ("dr mr mrs ms prof st jr sr vs etc e.g i.e eg ie cf al approx ca fig figs eq eqs sec ch vol no nos pp"
                            + " ed eds inc ltd co corp dept est min max resp viz jan feb mar apr jun jul aug sep sept oct"
                            + " nov dec u.s u.k a.m p.m")
                    .split(" "));

    private Sentences() {}

    /** The sentences of {@code text}, in order, parted from each other. */
    public static List<Sentence> of(String text) {
        return of(text, "");
    }

    /** The same for a text that begins in fenced code, whose mark is {@code fence}; empty where it does not. */
    public static List<Sentence> of(String text, String fence) {
        List<Sentence> sentences = new ArrayList<>();
        for (Sentence block : MarkdownBlocks.of(text, fence)) {
            int first = sentences.size();
            if (block.kind() == Sentence.Kind.PROSE) {
                prose(text, block, sentences);
            } else {
                add(text, block.start(), block.end(), block.kind(), sentences);
            }
            if (block.level() > 0 && sentences.size() > first) {
                sentences.set(first, sentences.get(first).atLevel(block.level()));
            }
        }
        return sentences;
    }

    private static void prose(String text, Sentence block, List<Sentence> sentences) {
        // A line end inside a paragraph is a space; same length, so that offsets hold.
        String flat = block.of(text).replace('\n', ' ').replace('\r', ' ').replace('\t', ' ');
        BreakIterator breaks = BreakIterator.getSentenceInstance(Locale.ROOT);
        breaks.setText(flat);
        int start = 0;
        Inline inline = new Inline(flat);
        for (int end = breaks.next(); end != BreakIterator.DONE; end = breaks.next()) {
            inline.advance(end);
            if (end == flat.length() || isEnd(flat, start, end) && !inline.isOpen()) {
                add(text, block.start() + start, block.start() + end, Sentence.Kind.PROSE, sentences);
                start = end;
                inline.restart();
            }
        }
    }

    private static boolean isEnd(String flat, int start, int end) {
        if (Character.isLowerCase(flat.codePointAt(end))) {
            return false;
        }
        int last = end;
        while (last > start && !Character.isLetterOrDigit(flat.charAt(last - 1))) {
            last--;
        }
        // The last word and what ends it: only a single point right after it can belong to an abbreviation.
        if (last >= flat.length() || flat.charAt(last) != '.' || last + 1 < end && flat.charAt(last + 1) != ' ') {
            return true;
        }
        int from = last;
        while (from > start && (Character.isLetterOrDigit(flat.charAt(from - 1)) || flat.charAt(from - 1) == '.')) {
            from--;
        }
        String word = flat.substring(from, last);
        boolean initial = word.length() == 1 && Character.isUpperCase(word.charAt(0)) && !word.equals("I");
        boolean number = from == start && word.chars().allMatch(Character::isDigit);
        return !initial && !number && !ABBREVIATIONS.contains(word.toLowerCase(Locale.ROOT));
    }

    private static void add(String text, int start, int end, Sentence.Kind kind, List<Sentence> sentences) {
        int from = start;
        while (from < end) {
            int to = end - from <= LONGEST ? end : cut(text, from, from + LONGEST, kind);
            addTrimmed(text, from, to, kind, sentences);
            from = to;
        }
    }

    /** Where to cut between {@code from} and {@code limit}: in the second half if a good place is there. */
    private static int cut(String text, int from, int limit, Sentence.Kind kind) {
        int half = from + LONGEST / 2;
        for (String places : kind == Sentence.Kind.CODE ? List.of("\n\r", " \t") : List.of(";:", ",", " \t\n\r")) {
            for (int i = limit; i > half; i--) {
                char next = text.charAt(i);
                if (places.indexOf(text.charAt(i - 1)) >= 0
                        && (Character.isWhitespace(next) || places.indexOf(' ') >= 0 || places.indexOf('\n') >= 0)) {
                    return i;
                }
            }
        }
        return Character.isLowSurrogate(text.charAt(limit)) ? limit - 1 : limit;
    }

    private static void addTrimmed(String text, int start, int end, Sentence.Kind kind, List<Sentence> sentences) {
        int from = start;
        int to = end;
        while (from < to && Character.isWhitespace(text.charAt(from))) {
            from++;
        }
        while (to > from && Character.isWhitespace(text.charAt(to - 1))) {
            to--;
        }
        if (text.substring(from, to).codePoints().anyMatch(Character::isLetterOrDigit)) {
            sentences.add(new Sentence(from, to, kind));
        }
    }

    /** Whether inline code or the target of a link is open at a place. <em>Confined to one thread.</em> */
    private static final class Inline {

        private final String flat;
        private int at;
        private boolean code;
        private boolean link;

        Inline(String flat) {
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
