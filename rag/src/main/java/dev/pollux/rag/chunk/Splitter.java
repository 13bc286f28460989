package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Lines;
import dev.pollux.internal.text.Reading;
import dev.pollux.internal.text.Sentence;
import dev.pollux.internal.text.Sentences;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Splits a block that is too long at the best boundaries available: items, lines or sentences, then words, then characters.
 */
final class Splitter {

    /** Whether the characters from start to end, with their context and lead, fit. */
    @FunctionalInterface
    interface Fit {
        boolean fits(int start, int end);
    }

    private enum Level {
        PARAGRAPHS,
        OUTER_ITEMS,
        ITEMS,
        LINES,
        SENTENCES,
        WORDS,
        CHARACTERS
    }

    private final String text;
    private final Lines lines;
    private final int[] items; // starts of the lines in which items begin, (items)
    private final int[] outerItems; // of the items in no other item, (outer items)
    private final int[] sentences; // first characters, (sentences)

    Splitter(Reading reading) {
        text = reading.text();
        lines = reading.lines();
        items = itemStarts(reading, false);
        outerItems = itemStarts(reading, true);
        sentences = Sentences.of(reading).stream().mapToInt(Sentence::start).toArray();
    }

    private static int[] itemStarts(Reading reading, boolean outer) {
        return reading.blocks().stream()
                .map(block -> block.place().items())
                .filter(around -> !around.isEmpty())
                .mapToInt(around -> reading.lines()
                        .start(around.get(outer ? 0 : around.size() - 1).line()))
                .distinct()
                .sorted()
                .toArray();
    }

    /**
     * Splits {@code [start, end)} into adjacent pieces that fit.
     *
     * @return one past the end of each piece
     */
    List<Integer> split(Part.Kind kind, int start, int end, Fit fit) {
        List<Integer> ends = new ArrayList<>();
        split(start, end, levels(kind), fit, ends);
        return ends;
    }

    private static List<Level> levels(Part.Kind kind) {
        return switch (kind) {
            case LIST -> List.of(Level.OUTER_ITEMS, Level.ITEMS, Level.SENTENCES, Level.WORDS, Level.CHARACTERS);
            case LINES, FRONT_MATTER -> List.of(Level.LINES, Level.WORDS, Level.CHARACTERS);
            case TEXT -> List.of(Level.PARAGRAPHS, Level.LINES, Level.SENTENCES, Level.WORDS, Level.CHARACTERS);
            case PROSE, HEADING -> List.of(Level.SENTENCES, Level.WORDS, Level.CHARACTERS);
        };
    }

    private void split(int start, int end, List<Level> levels, Fit fit, List<Integer> ends) {
        Level level = levels.get(0);
        List<Level> finer = levels.subList(1, levels.size());
        if (level == Level.CHARACTERS) {
            characters(start, end, fit, ends);
            return;
        }
        int[] cuts = cuts(level, start, end);
        int from = start;
        for (int i = 0; i < cuts.length; i++) {
            int to = cuts[i];
            if (level == Level.WORDS && fit.fits(from, to)) {
                int first = i;
                i += longest(from, index -> cuts[first + index], cuts.length - first, fit);
                to = cuts[i];
                ends.add(to);
            } else if (fit.fits(from, to)) {
                ends.add(to);
            } else {
                split(from, to, finer, fit, ends);
            }
            from = to;
        }
    }

    private void characters(int start, int end, Fit fit, List<Integer> ends) {
        int from = start;
        while (from < end) {
            int begin = from;
            int first = begin + Character.charCount(text.codePointAt(begin));
            if (!fit.fits(begin, first)) {
                throw new IllegalArgumentException(
                        "Character " + begin + " alone has more tokens than a chunk may have;"
                                + " use an embedding model that reads longer texts");
            }
            IntUnaryOperator cut = index -> whole(first + index);
            from = cut.applyAsInt(longest(begin, cut, end - first + 1, fit));
            ends.add(from);
        }
    }

    /** {@code offset}, or {@code offset} + 1 if it would split a surrogate pair. */
    private int whole(int offset) {
        boolean parts = offset < text.length()
                && Character.isLowSurrogate(text.charAt(offset))
                && Character.isHighSurrogate(text.charAt(offset - 1));
        return parts ? offset + 1 : offset;
    }

    /**
     * The index of the last of {@code count} boundaries up to which the text fits, given that the first fits: galloping
     * search, then bisection.
     */
    private static int longest(int from, IntUnaryOperator cut, int count, Fit fit) {
        int low = 0;
        int step = 1;
        while (low + step < count && fit.fits(from, cut.applyAsInt(low + step))) {
            low += step;
            step *= 2;
        }
        int high = Math.min(low + step, count);
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (fit.fits(from, cut.applyAsInt(middle))) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private int[] cuts(Level level, int start, int end) {
        return switch (level) {
            case OUTER_ITEMS -> cutsAt(outerItems, start, end);
            case ITEMS -> cutsAt(items, start, end);
            case PARAGRAPHS -> paragraphCuts(start, end);
            case LINES -> lineCuts(start, end);
            case SENTENCES -> cutsAt(sentences, start, end);
            default -> wordCuts(start, end);
        };
    }

    /** A paragraph includes the blank lines after it. */
    private int[] paragraphCuts(int start, int end) {
        Cuts cuts = new Cuts();
        boolean blank = false;
        for (int line = lines.at(start) + 1; line < lines.count() && lines.start(line) < end; line++) {
            boolean empty = lines.line(line).isBlank();
            if (blank && !empty) {
                cuts.add(lines.start(line));
            }
            blank = empty;
        }
        return cuts.upTo(end);
    }

    private int[] lineCuts(int start, int end) {
        Cuts cuts = new Cuts();
        for (int line = lines.at(start) + 1; line < lines.count() && lines.start(line) < end; line++) {
            cuts.add(lines.start(line));
        }
        return cuts.upTo(end);
    }

    private static int[] cutsAt(int[] offsets, int start, int end) {
        Cuts cuts = new Cuts();
        int found = Arrays.binarySearch(offsets, start + 1);
        for (int i = found >= 0 ? found : -found - 1; i < offsets.length && offsets[i] < end; i++) {
            cuts.add(offsets[i]);
        }
        return cuts.upTo(end);
    }

    /** A word includes the space after it. */
    private int[] wordCuts(int start, int end) {
        Cuts cuts = new Cuts();
        for (int i = start + 1; i < end; i++) {
            if (Character.isWhitespace(text.charAt(i - 1)) && !Character.isWhitespace(text.charAt(i))) {
                cuts.add(i);
            }
        }
        return cuts.upTo(end);
    }

    /** A growing list of offsets. */
    private static final class Cuts {
        private int[] offsets = new int[16]; // (size and room)
        private int size;

        void add(int offset) {
            if (size == offsets.length) {
                offsets = Arrays.copyOf(offsets, size * 2);
            }
            offsets[size++] = offset;
        }

        int[] upTo(int end) {
            if (size == 0 || offsets[size - 1] < end) {
                add(end);
            }
            return Arrays.copyOf(offsets, size);
        }
    }
}
