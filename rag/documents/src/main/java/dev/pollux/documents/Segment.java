package dev.pollux.documents;

import java.util.List;

/**
 * A run of characters on one line of a page, without a wide gap. Coordinates are in points from the upper left corner, as the
 * text is read.
 *
 * @param text with blanks between words
 * @param left start of the first character
 * @param right end of the last character
 * @param baseline its baseline
 * @param size size of the font
 */
record Segment(String text, float left, float right, float baseline, float size) {

    float width() {
        return right - left;
    }

    int words() {
        return text.split("\\s+").length;
    }

    /** Segments on one baseline, from left to right. */
    record Row(List<Segment> segments) {

        Row {
            segments = List.copyOf(segments);
        }

        float baseline() {
            return segments.get(0).baseline();
        }

        float size() {
            float size = 0;
            for (Segment segment : segments) {
                size = Math.max(size, segment.size());
            }
            return size;
        }

        float left() {
            return segments.get(0).left();
        }

        float right() {
            float right = 0;
            for (Segment segment : segments) {
                right = Math.max(right, segment.right());
            }
            return right;
        }

        String text() {
            return String.join(" ", segments.stream().map(Segment::text).toList());
        }
    }
}
