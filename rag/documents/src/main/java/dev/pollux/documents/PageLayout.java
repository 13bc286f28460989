package dev.pollux.documents;

import dev.pollux.documents.Segment.Row;
import java.util.ArrayList;
import java.util.List;

/** Finds columns and tables on a page and brings its rows into reading order. <em>Confined to one thread.</em> */
final class PageLayout {

    /*
     * Rows from top to bottom are grouped into bands. Within a band there are gutters: ranges of x that no segment of any row
     * enters, with segments on both sides. A row that would close all gutters of a band begins the next one, if it or the band
     * has gutters. A band with gutters is
     *   columns   if on each side of some gutter there are at least three lines of prose; each side is laid out on its own, as a
     *             page, from left to right
     *   table     otherwise; a row of it is a row of cells
     * Prose is recognized by its words a line: cells have few, or fill little of the width of their column.
     *
     * Compare: G. Nagy, S. Seth: Hierarchical Representation of Optically Scanned Documents. ICPR 1984 (recursive cuts). The
     * bands replace cuts at horizontal gaps, since a title across both columns has no larger gap than a paragraph.
     */

    private static final int LEAST_LINES = 3;
    private static final int LEAST_WORDS = 3;
    private static final double LEAST_FILL = 0.55;
    private static final int DEEPEST = 6;

    /** A part of a page in reading order. */
    sealed interface Block {

        /** A line of prose. */
        record Line(Row row) implements Block {}

        /** Rows of cells, of which each has the same number. */
        record Table(List<List<String>> rows) implements Block {}

        /** The end of a column, after which a paragraph may go on. */
        record ColumnEnd() implements Block {}
    }

    /** A range of x. */
    private record Gap(float from, float to) {
        float middle() {
            return (from + to) / 2;
        }
    }

    private final Guard guard;
    private final List<Block> blocks = new ArrayList<>();

    private PageLayout(Guard guard) {
        this.guard = guard;
    }

    /** The blocks of a page in reading order. */
    static List<Block> of(List<Row> rows, Guard guard) {
        PageLayout layout = new PageLayout(guard);
        layout.region(rows, 0);
        return layout.blocks;
    }

    private void region(List<Row> rows, int depth) {
        List<Row> band = new ArrayList<>();
        List<Gap> gutters = List.of();
        for (Row row : rows) {
            guard.step();
            List<Row> longer = new ArrayList<>(band);
            longer.add(row);
            List<Gap> left = gutters(longer);
            boolean closes =
                    left.isEmpty() && (!gutters.isEmpty() || row.segments().size() > 1) && !band.isEmpty();
            if (closes) {
                band(band, gutters, depth);
                band.clear();
                band.add(row);
                gutters = gutters(band);
            } else {
                band.add(row);
                gutters = left;
            }
        }
        band(band, gutters, depth);
    }

    /** The ranges between segments that are free in all rows, wider than a character, with segments on both sides. */
    private List<Gap> gutters(List<Row> rows) {
        List<Segment> segments = new ArrayList<>();
        rows.forEach(row -> segments.addAll(row.segments()));
        segments.sort((a, b) -> Float.compare(a.left(), b.left()));
        List<Gap> gaps = new ArrayList<>();
        float right = Float.NEGATIVE_INFINITY;
        for (Segment segment : segments) {
            guard.step();
            if (right > Float.NEGATIVE_INFINITY && segment.left() - right > segment.size() * 0.8f) {
                gaps.add(new Gap(right, segment.left()));
            }
            right = Math.max(right, segment.right());
        }
        return gaps;
    }

    private void band(List<Row> rows, List<Gap> gutters, int depth) {
        if (rows.isEmpty()) {
            return;
        }
        List<Gap> columns = depth < DEEPEST ? columns(rows, gutters) : List.of();
        if (!columns.isEmpty()) {
            float from = Float.NEGATIVE_INFINITY;
            for (int i = 0; i <= columns.size(); i++) {
                float to = i < columns.size() ? columns.get(i).middle() : Float.POSITIVE_INFINITY;
                region(within(rows, from, to), depth + 1);
                blocks.add(new Block.ColumnEnd());
                from = to;
            }
        } else if (!gutters.isEmpty()
                && rows.stream().filter(row -> row.segments().size() > 1).count() > 1) {
            table(rows, gutters);
        } else {
            rows.forEach(row -> blocks.add(new Block.Line(row)));
        }
    }

    /** The gutters between columns of prose. */
    private static List<Gap> columns(List<Row> rows, List<Gap> gutters) {
        List<Gap> found = new ArrayList<>();
        float from = Float.NEGATIVE_INFINITY;
        for (Gap gutter : gutters) {
            if (isProse(within(rows, from, gutter.middle()))
                    && isProse(within(rows, gutter.middle(), Float.POSITIVE_INFINITY))) {
                found.add(gutter);
                from = gutter.middle();
            }
        }
        return found;
    }

    private static boolean isProse(List<Row> rows) {
        if (rows.size() < LEAST_LINES) {
            return false;
        }
        float left = Float.POSITIVE_INFINITY;
        float right = Float.NEGATIVE_INFINITY;
        for (Row row : rows) {
            left = Math.min(left, row.left());
            right = Math.max(right, row.right());
        }
        int full = 0;
        int wordy = 0;
        for (Row row : rows) {
            double filled = row.segments().stream().mapToDouble(Segment::width).sum();
            int words = row.segments().stream().mapToInt(Segment::words).sum();
            int characters = row.text().length();
            full += filled > LEAST_FILL * (right - left) ? 1 : 0;
            wordy += words >= LEAST_WORDS
                            || characters >= LEAST_WORDS * 5 && words > 1
                            || characters > 12 && isDense(row.text())
                    ? 1
                    : 0;
        }
        return 2 * full >= rows.size() && 2 * wordy >= rows.size();
    }

    /** Whether a text is in a script without spaces between words. */
    private static boolean isDense(String text) {
        return text.codePoints().filter(Character::isIdeographic).count() * 2 > text.length();
    }

    private static List<Row> within(List<Row> rows, float from, float to) {
        List<Row> part = new ArrayList<>();
        for (Row row : rows) {
            List<Segment> segments = row.segments().stream()
                    .filter(segment -> segment.left() >= from && segment.left() < to)
                    .toList();
            if (!segments.isEmpty()) {
                part.add(new Row(segments));
            }
        }
        return part;
    }

    /** Writes lines above and below a table as lines, and the rows between as cells. */
    private void table(List<Row> rows, List<Gap> gutters) {
        int first = 0;
        int last = rows.size() - 1;
        while (rows.get(first).segments().size() < 2) {
            blocks.add(new Block.Line(rows.get(first++)));
        }
        while (rows.get(last).segments().size() < 2) {
            last--;
        }
        List<List<String>> cells = new ArrayList<>();
        for (Row row : rows.subList(first, last + 1)) {
            List<String> texts = cells(row, gutters);
            boolean continues = texts.get(0).isBlank()
                    && !cells.isEmpty()
                    && texts.stream().filter(text -> !text.isBlank()).count() == 1;
            if (continues) {
                List<String> above = cells.get(cells.size() - 1);
                for (int i = 0; i < texts.size(); i++) {
                    above.set(i, (above.get(i) + " " + texts.get(i)).strip());
                }
            } else {
                cells.add(texts);
            }
        }
        blocks.add(new Block.Table(cells));
        rows.subList(last + 1, rows.size()).forEach(row -> blocks.add(new Block.Line(row)));
    }

    private static List<String> cells(Row row, List<Gap> gutters) {
        List<String> texts = new ArrayList<>();
        float from = Float.NEGATIVE_INFINITY;
        for (int i = 0; i <= gutters.size(); i++) {
            float to = i < gutters.size() ? gutters.get(i).middle() : Float.POSITIVE_INFINITY;
            List<Row> cell = within(List.of(row), from, to);
            texts.add(cell.isEmpty() ? "" : cell.get(0).text());
            from = to;
        }
        return texts;
    }
}
