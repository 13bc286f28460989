package dev.pollux.internal.text;

import java.util.List;

/**
 * A parsed text: its blocks in order and its hidden ranges. <em>Immutable.</em>
 *
 * @param text as it was given
 * @param lines its lines
 * @param blocks every line that is not blank is in a block
 * @param hidden comments and embedded data inside blocks, in order
 */
public record Reading(String text, Lines lines, List<Block> blocks, List<Range> hidden) {

    /** The media type of Markdown. */
    public static final String MARKDOWN = "text/markdown";

    /** Some characters of a text. */
    public record Range(int start, int end) {}

    public Reading {
        blocks = List.copyOf(blocks);
        hidden = List.copyOf(hidden);
    }

    /**
     * Reads a whole document, or a part of one that begins as the document does.
     *
     * @param mediaType {@link #MARKDOWN}; every other is read as plain text, with its titles and code
     */
    public static Reading of(String text, String mediaType) {
        return mediaType.equals(MARKDOWN) ? MarkdownReader.document(text) : PlainReader.read(text);
    }

    /** Reads a part of a document that does not begin as the document does. */
    public static Reading ofPart(String text, String mediaType) {
        return mediaType.equals(MARKDOWN) ? MarkdownReader.part(text) : PlainReader.read(text);
    }

    /** Characters {@code start} to {@code end} without hidden ranges. */
    public String visible(int start, int end) {
        StringBuilder shown = new StringBuilder();
        int from = start;
        for (int i = firstAfter(start); i < hidden.size() && hidden.get(i).start() < end; i++) {
            Range range = hidden.get(i);
            if (range.start() > from) {
                shown.append(text, from, range.start());
            }
            from = Math.max(from, Math.min(end, range.end()));
        }
        return from == start
                ? text.substring(start, end)
                : shown.append(text, from, end).toString();
    }

    /** Whether no reader sees a character. */
    public boolean isHidden(int offset) {
        int i = firstAfter(offset);
        return i < hidden.size() && hidden.get(i).start() <= offset;
    }

    /** The hidden ranges between two offsets. */
    public List<Range> hiddenIn(int start, int end) {
        int first = firstAfter(start);
        int last = first;
        while (last < hidden.size() && hidden.get(last).start() < end) {
            last++;
        }
        return hidden.subList(first, last);
    }

    /** The index of the first hidden range that ends after {@code offset}. */
    private int firstAfter(int offset) {
        int low = 0;
        int high = hidden.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (hidden.get(middle).end() > offset) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
}
