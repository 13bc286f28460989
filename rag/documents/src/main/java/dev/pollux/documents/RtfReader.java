package dev.pollux.documents;

import dev.pollux.retrieval.Location;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Reads RTF: Rich Text Format 1.9.1. <em>Confined to one thread.</em> */
final class RtfReader {

    /*
     * A group is a copy of the state around it, so that its end restores that. A destination that holds no text of the document
     * is skipped as a group: every one marked with \* that is not known here, and those of a list. Bytes above 127 are
     * collected and decoded in one piece, since a character may have several, in the code page of the font.
     */

    /** What a group inherits from the one around it. */
    private static final class State {
        private boolean skipped;
        private boolean hidden;
        private boolean deleted;
        private String info = ""; // the field of metadata that the group holds
        private boolean fonts; // whether the group is the table of fonts
        private boolean styles; // whether the group is the style sheet
        private int unicodeBytes = 1; // after a character in Unicode
        private int font;
        private Charset charset;

        State(Charset charset) {
            this.charset = charset;
        }

        State(State other) {
            skipped = other.skipped;
            hidden = other.hidden;
            deleted = other.deleted;
            info = other.info;
            fonts = other.fonts;
            styles = other.styles;
            unicodeBytes = other.unicodeBytes;
            font = other.font;
            charset = other.charset;
        }
    }

    private final byte[] file;
    private final Extracted out;
    private final Guard guard;
    private final Deque<State> groups = new ArrayDeque<>();
    private final Map<Integer, Charset> fonts = new HashMap<>();
    private final Map<Integer, Integer> styles = new HashMap<>(); // outline level of styles, from 1
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder info = new StringBuilder();
    private final TableCells table = new TableCells();
    private State state = new State(Charset.forName("windows-1252"));
    private Charset document = state.charset;
    private int at;
    private int ignore; // characters that stand for the last one in Unicode
    private boolean starred; // whether the group began with \*
    private int level; // of the heading, from 1; 0 of a paragraph
    private int style;
    private boolean inTable;
    private boolean row; // whether a row is open
    private boolean item;

    private RtfReader(byte[] file, Extracted out) {
        this.file = file;
        this.out = out;
        this.guard = out.guard();
    }

    static void read(byte[] file, Extracted out) {
        if (!new String(file, 0, Math.min(5, file.length), StandardCharsets.US_ASCII).equals("{\\rtf")) {
            throw new UnreadableException("is not RTF by its content");
        }
        out.text().at(Location.whole());
        new RtfReader(file, out).read();
    }

    private void read() {
        while (at < file.length) {
            guard.step();
            char c = (char) (file[at++] & 0xFF);
            switch (c) {
                case '{' -> open();
                case '}' -> close();
                case '\\' -> control();
                case '\r', '\n' -> {
                    // no part of the text
                }
                default -> literal(c);
            }
        }
        endParagraph();
        endTable();
    }

    private void open() {
        flush();
        guard.checkDepth(groups.size());
        groups.push(state);
        state = new State(state);
        starred = false;
    }

    private void close() {
        flush();
        State inner = state;
        if (!groups.isEmpty()) {
            state = groups.pop();
        }
        if (!inner.info.isEmpty() && state.info.isEmpty()) {
            out.field(inner.info, info.toString());
            info.setLength(0);
        }
        starred = false;
        ignore = 0;
    }

    private void literal(char c) {
        if (ignore > 0) {
            ignore--;
        } else if (c < 128) {
            flush();
            add(String.valueOf(c));
        } else {
            bytes.write(c);
        }
    }

    private void flush() {
        if (bytes.size() > 0) {
            String decoded = bytes.toString(fonts.getOrDefault(state.font, state.charset));
            bytes.reset();
            add(decoded);
        }
    }

    private void add(String shown) {
        if (state.skipped || state.hidden || state.deleted || state.fonts || state.styles) {
            return;
        }
        StringBuilder target = state.info.isEmpty() ? text : info;
        target.append(shown);
        guard.checkCharacters(target.length());
    }

    private void control() {
        if (at >= file.length) {
            return;
        }
        char c = (char) (file[at] & 0xFF);
        if (!Character.isLetter(c) || c > 127) {
            at++;
            symbol(c);
            return;
        }
        int begin = at;
        while (at < file.length && (file[at] >= 'a' && file[at] <= 'z' || file[at] >= 'A' && file[at] <= 'Z')) {
            at++;
        }
        String word = new String(file, begin, at - begin, StandardCharsets.US_ASCII);
        begin = at;
        if (at < file.length && file[at] == '-') {
            at++;
        }
        while (at < file.length && file[at] >= '0' && file[at] <= '9') {
            at++;
        }
        String number = new String(file, begin, at - begin, StandardCharsets.US_ASCII);
        if (at < file.length && file[at] == ' ') {
            at++;
        }
        boolean given = number.matches("-?\\d{1,9}");
        word(word, given ? Integer.parseInt(number) : 1, given);
    }

    private void symbol(char c) {
        switch (c) {
            case '\'' -> {
                int high = at < file.length ? Character.digit(file[at], 16) : -1;
                int low = at + 1 < file.length ? Character.digit(file[at + 1], 16) : -1;
                at = Math.min(file.length, at + 2);
                if (ignore > 0) {
                    ignore--;
                } else if (high >= 0 && low >= 0) {
                    bytes.write(high * 16 + low);
                }
            }
            case '*' -> starred = true;
            case '~' -> shown(" ");
            case '_' -> shown("-");
            case '\\', '{', '}' -> shown(String.valueOf(c));
            case '\r', '\n' -> endParagraph();
            default -> {
                // an optional hyphen, or unknown
            }
        }
    }

    private void shown(String symbol) {
        flush();
        if (ignore > 0) {
            ignore--;
        } else {
            add(symbol);
        }
    }

    private void word(String word, int number, boolean given) {
        if (!word.equals("u")) {
            flush();
        }
        if (RtfWords.SKIPPED.contains(word)) {
            state.skipped = true;
            item |= word.equals("pntext") || word.equals("listtext");
            return;
        }
        if (starred) {
            starred = false;
            state.skipped |= !word.equals("shptxt") && !word.equals("shpinst");
        }
        if (RtfWords.SYMBOLS.containsKey(word)) {
            add(RtfWords.SYMBOLS.getOrDefault(word, ""));
        } else if (RtfWords.INFO.containsKey(word)) {
            state.info = RtfWords.INFO.getOrDefault(word, "");
        } else if (!table(word) && !font(word, number)) {
            format(word, number, given);
        }
    }

    private void format(String word, int number, boolean given) {
        switch (word) {
            case "par", "sect", "page" -> endParagraph();
            case "pard" -> {
                level = 0;
                style = 0;
                inTable = false;
                item = false;
            }
            case "plain" -> {
                state.hidden = false;
                state.deleted = false;
            }
            case "v" -> state.hidden = !given || number != 0;
            case "deleted" -> state.deleted = !given || number != 0;
            case "stylesheet" -> state.styles = true;
            case "s" -> style = number;
            case "outlinelevel" -> {
                level = number < 9 ? number + 1 : 0;
                if (state.styles) {
                    styles.put(style, level);
                    level = 0;
                }
            }
            case "bin" -> at = (int) Math.min(file.length, at + (long) Math.max(0, number));
            case "uc" -> state.unicodeBytes = Math.max(0, number);
            case "u" -> {
                flush();
                add(String.valueOf((char) number));
                ignore = state.unicodeBytes;
            }
            default -> {
                // formatting
            }
        }
    }

    private boolean font(String word, int number) {
        switch (word) {
            case "ansicpg" -> {
                document = RtfCharsets.named("windows-" + number, number);
                state.charset = document;
            }
            case "mac" -> state.charset = RtfCharsets.named("x-MacRoman", 0);
            case "pc" -> state.charset = RtfCharsets.named("IBM437", 437);
            case "pca" -> state.charset = RtfCharsets.named("IBM850", 850);
            case "fonttbl" -> state.fonts = true;
            case "f" -> state.font = number;
            case "fcharset" -> {
                if (state.fonts) {
                    fonts.put(state.font, RtfCharsets.ofFont(number).orElse(document));
                }
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean table(String word) {
        switch (word.toLowerCase(Locale.ROOT)) {
            case "intbl" -> inTable = true;
            case "trowd" -> {
                if (!table.isOpen()) {
                    table.begin();
                }
            }
            case "cell" -> cell();
            case "row" -> {
                if (row) {
                    table.endRow();
                }
                row = false;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void cell() {
        if (!table.isOpen()) {
            table.begin();
        }
        if (!row) {
            table.beginRow();
            row = true;
        }
        table.beginCell();
        table.text(text.toString());
        table.endCell();
        text.setLength(0);
    }

    private void endTable() {
        if (table.isOpen()) {
            if (row) {
                table.endRow();
            }
            row = false;
            table.end(out.text());
        }
    }

    private void endParagraph() {
        flush();
        if (state.skipped || !state.info.isEmpty()) {
            return;
        }
        if (inTable) {
            text.append(' ');
            return;
        }
        if (text.toString().isBlank()) {
            text.setLength(0);
            return;
        }
        endTable();
        int heading = level > 0 ? level : styles.getOrDefault(style, 0);
        if (heading > 0) {
            out.text().heading(heading, text.toString());
        } else if (item) {
            out.text().item(0, "-", text.toString());
        } else {
            out.text().paragraph(text.toString());
        }
        text.setLength(0);
    }
}
