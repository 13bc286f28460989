package dev.pollux.retrieval;

import java.util.regex.Pattern;

/**
 * A position in a document in the terms that a user sees: lines, pages, cells, or the document as a whole. Later versions may add kinds, so callers
 * use the methods of this type or handle unknown kinds by a default. <em>Immutable.</em>
 */
public sealed interface Location {

    /** Lines {@code first} to {@code last}, from 1. */
    static Location lines(int first, int last) {
        return new Lines(first, last);
    }

    /** Pages {@code first} to {@code last}, from 1. */
    static Location pages(int first, int last) {
        return new Pages(first, last);
    }

    /** Cells of a sheet, such as {@code B7} or {@code A2:D5}. */
    static Location cells(String sheet, String range) {
        return new Cells(sheet, range);
    }

    /** The document as a whole, for formats without lines, pages and cells: the headings of a passage say more. */
    static Location whole() {
        return new Whole();
    }

    /**
     * The smallest location that contains this one and another one of the same document; the whole document if the two have no
     * common terms, such as cells of two sheets.
     */
    Location union(Location other);

    /** The location in words: {@code lines 5–7}, {@code page 3}, {@code sheet Costs, cells A2:D5}. */
    String described();

    /** A document's name followed by the location, in short form: {@code boats.md:5-7}, {@code report.pdf, page 3}. */
    default String in(String document) {
        return document + ", " + described();
    }

    /**
     * The URL fragment, without {@code #}, that links to the location: {@code L5-L7}, {@code page=3}; empty if there is
     * none.
     */
    String fragment();

    /**
     * The location of a part of the text at this location.
     *
     * @param text the complete text at this location
     * @param start first character of the part, in UTF-16 units from 0
     * @param end one past the last character
     */
    Location part(String text, int start, int end);

    private static void checkRange(String name, int first, int last) {
        if (first < 1 || last < first) {
            throw new IllegalArgumentException(
                    "first and last must be a range of " + name + " from 1 but were " + first + " and " + last);
        }
    }

    /**
     * Lines of a text. CR LF, LF and CR each end a line.
     *
     * @param first from 1
     * @param last at least {@code first}
     */
    record Lines(int first, int last) implements Location {

        public Lines {
            checkRange("lines", first, last);
        }

        @Override
        public String described() {
            return first == last ? "line " + first : "lines " + first + "–" + last;
        }

        @Override
        public String in(String document) {
            return document + ":" + first + (first == last ? "" : "-" + last);
        }

        @Override
        public String fragment() {
            return "L" + first + (first == last ? "" : "-L" + last);
        }

        @Override
        public Location union(Location other) {
            return other instanceof Lines that
                    ? new Lines(Math.min(first, that.first), Math.max(last, that.last))
                    : whole();
        }

        @Override
        public Location part(String text, int start, int end) {
            var lines = new dev.pollux.internal.text.Lines(text);
            return new Lines(first + lines.at(start), first + lines.at(Math.max(start, end - 1)));
        }
    }

    /**
     * Pages of a paged document. A part of the text has the location of the whole.
     *
     * @param first from 1, counted from the document's first page; printed page numbers are ignored
     * @param last at least {@code first}
     */
    record Pages(int first, int last) implements Location {

        public Pages {
            checkRange("pages", first, last);
        }

        @Override
        public String described() {
            return first == last ? "page " + first : "pages " + first + "–" + last;
        }

        @Override
        public String fragment() {
            return "page=" + first; // RFC 8118
        }

        @Override
        public Location union(Location other) {
            return other instanceof Pages that
                    ? new Pages(Math.min(first, that.first), Math.max(last, that.last))
                    : whole();
        }

        @Override
        public Location part(String text, int start, int end) {
            return this;
        }
    }

    /**
     * Cells of a spreadsheet. A part of the text has the location of the whole.
     *
     * @param sheet name of the sheet; empty for a single sheet without a name
     * @param range one cell or two opposite corners, in the notation of spreadsheets: {@code B7}, {@code A2:D5}
     */
    record Cells(String sheet, String range) implements Location {

        private static final Pattern RANGE = Pattern.compile("[A-Z]{1,3}[1-9]\\d{0,6}(?::[A-Z]{1,3}[1-9]\\d{0,6})?");

        public Cells {
            if (!RANGE.matcher(range).matches()) {
                throw new IllegalArgumentException(
                        "range must be a cell or a range of cells but was '" + range + "'; write it as B7 or A2:D5");
            }
        }

        @Override
        public String described() {
            String cells = (range.indexOf(':') < 0 ? "cell " : "cells ") + range;
            return sheet.isEmpty() ? cells : "sheet " + sheet + ", " + cells;
        }

        @Override
        public Location union(Location other) {
            return other instanceof Cells that && that.sheet.equals(sheet)
                    ? new Cells(
                            sheet,
                            CellRange.of(range).union(CellRange.of(that.range)).toString())
                    : whole();
        }

        @Override
        public String fragment() {
            return "";
        }

        @Override
        public Location part(String text, int start, int end) {
            return this;
        }
    }

    /** A document without finer locations, such as a mail. A part of the text has the location of the whole. */
    record Whole() implements Location {

        @Override
        public String described() {
            return "the document";
        }

        @Override
        public String in(String document) {
            return document;
        }

        @Override
        public String fragment() {
            return "";
        }

        @Override
        public Location union(Location other) {
            return this;
        }

        @Override
        public Location part(String text, int start, int end) {
            return this;
        }
    }
}
