package dev.pollux.internal.text;

import dev.pollux.internal.text.Reading.Range;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Splits a text into sentences with offsets in the original text.
 *
 * <p>The text is first split into blocks ({@link Reading}), then paragraphs and list items at {@link SentenceEnds}. The
 * maximum length is {@value #LONGEST} characters, for a table row {@value #LONGEST_ROW}. Longer sentences are split after a
 * semicolon or comma, else at a space; code is split at a line. Pieces without a letter or digit are omitted. <em>Stateless,
 * thread-safe.</em>
 */
public final class Sentences {

    /**
     * Maximum length of a sentence in characters: about 150 tokens of English, well below the limits of embedding models.
     */
    public static final int LONGEST = 600;

    /** Maximum length of a table row in characters. */
    public static final int LONGEST_ROW = 2_400;

    /** Represents a deliberate line break. */
    static final char HARD_BREAK = '\u2028';

    private Sentences() {}

    /** The sentences of a Markdown text, in order, without overlap. */
    public static List<Sentence> of(String text) {
        return of(Reading.ofPart(text, Reading.MARKDOWN));
    }

    /** The sentences of a parsed text, in order, without overlap. */
    public static List<Sentence> of(Reading reading) {
        List<Sentence> sentences = new ArrayList<>();
        for (Block block : reading.blocks()) {
            switch (block.kind()) {
                case SILENT -> {}
                case HEADING, TERM, TABLE_HEAD ->
                    add(reading, new Range(block.start(), block.end()), Sentence.Kind.HEADING, block, sentences);
                case TABLE_ROW ->
                    add(reading, new Range(block.start(), block.end()), Sentence.Kind.TABLE_ROW, block, sentences);
                case CODE -> add(reading, new Range(block.start(), block.end()), Sentence.Kind.CODE, block, sentences);
                case FRONT_MATTER -> entries(reading, block, sentences);
                case PARAGRAPH, QUESTION, ANSWER -> prose(reading, block, sentences);
            }
        }
        return sentences;
    }

    /** Each entry of the front matter, with the lines that are indented under it; what is in TOML's tables is nested. */
    private static void entries(Reading reading, Block block, List<Sentence> sentences) {
        Lines lines = reading.lines();
        int from = block.start();
        for (int i = lines.at(block.start()) + 1;
                i <= lines.count() && reading.text().charAt(from) != '[';
                i++) {
            boolean end = i == lines.count() || lines.start(i) >= block.end();
            if (end
                    || lines.end(i) > lines.start(i)
                            && " \t-".indexOf(reading.text().charAt(lines.start(i))) < 0) {
                add(
                        reading,
                        new Range(from, end ? block.end() : lines.start(i)),
                        Sentence.Kind.PROSE,
                        block,
                        sentences);
                from = end ? block.end() : lines.start(i);
            }
            if (end) {
                break;
            }
        }
    }

    private static void prose(Reading reading, Block block, List<Sentence> sentences) {
        String flat = flat(reading, block);
        SentenceEnds ends = new SentenceEnds(flat);
        int start = 0;
        for (int end = ends.next(); end >= 0; end = ends.next()) {
            add(reading, new Range(block.start() + start, block.start() + end), Sentence.Kind.PROSE, block, sentences);
            start = end;
        }
    }

    /** The block with spaces in place of line ends and hidden text. The length is unchanged, so offsets stay valid. */
    private static String flat(Reading reading, Block block) {
        char[] flat = block.of(reading.text()).toCharArray();
        for (int i = 0; i < flat.length; i++) {
            if (flat[i] == '\n' || flat[i] == '\r' || flat[i] == '\t') {
                boolean hard =
                        flat[i] != '\t' && i > 1 && (flat[i - 1] == '\\' || flat[i - 1] == ' ' && flat[i - 2] == ' ');
                flat[i] = hard ? HARD_BREAK : ' ';
            }
        }
        for (Range range : reading.hiddenIn(block.start(), block.end())) {
            int from = Math.max(0, range.start() - block.start());
            int to = Math.min(flat.length, range.end() - block.start());
            Arrays.fill(flat, from, to, ' ');
        }
        return new String(flat);
    }

    private static void add(Reading reading, Range range, Sentence.Kind kind, Block block, List<Sentence> sentences) {
        int end = range.end();
        int longest = kind == Sentence.Kind.TABLE_ROW ? LONGEST_ROW : LONGEST;
        int from = range.start();
        while (from < end) {
            int to = end - from <= longest ? end : cut(reading.text(), from, from + longest, kind);
            addTrimmed(reading, new Range(from, to), kind, block, sentences);
            from = to;
        }
    }

    /** Where to cut between {@code from} and {@code limit}: in the second half if a good place is there. */
    private static int cut(String text, int from, int limit, Sentence.Kind kind) {
        int half = (from + limit) / 2;
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

    /** What is left of a piece without white space and hidden text at its ends, if a letter or digit is. */
    private static void addTrimmed(
            Reading reading, Range range, Sentence.Kind kind, Block block, List<Sentence> sentences) {
        String text = reading.text();
        int from = range.start();
        int to = range.end();
        while (from < to && (Character.isWhitespace(text.charAt(from)) || reading.isHidden(from))) {
            from++;
        }
        while (to > from && (Character.isWhitespace(text.charAt(to - 1)) || reading.isHidden(to - 1))) {
            to--;
        }
        if (reading.visible(from, to).codePoints().anyMatch(Character::isLetterOrDigit)) {
            sentences.add(new Sentence(from, to, kind, from == block.start() ? block.level() : 0, block));
        }
    }
}
