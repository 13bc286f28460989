package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.Block.Heading;
import dev.pollux.internal.text.Reading;
import java.util.ArrayList;
import java.util.List;

/**
 * A unit that is kept together if it fits: a heading, a paragraph, a list with its introduction, a table, or a question with
 * its answer. The parts of a document are adjacent and in order.
 *
 * @param kind determines how the part is split if it does not fit
 * @param start first character
 * @param end one past the last character, including trailing white space
 * @param path the headings above, outermost first; a heading's own path ends with itself
 * @param apart whether it must not be merged with the previous part because data separates them
 */
record Part(Kind kind, int start, int end, List<Heading> path, boolean apart) {

    enum Kind {
        FRONT_MATTER,
        HEADING,
        PROSE,
        LIST,
        LINES,
        /** A whole text whose structure is not known. */
        TEXT
    }

    /** Invisible text of at least this many characters is excluded from all parts. */
    private static final int DATA = 256;

    /** The parts of a document. */
    static List<Part> of(Reading reading) {
        List<Part> parts = new ArrayList<>();
        List<Block> blocks = reading.blocks();
        int from = 0;
        for (int i = 1; i <= blocks.size(); i++) {
            if (i == blocks.size() || !joined(reading, blocks.get(i - 1), blocks.get(i))) {
                int start = from == 0 ? 0 : start(reading, blocks, from);
                int end = i == blocks.size() ? reading.text().length() : start(reading, blocks, i);
                add(
                        reading,
                        new Part(
                                kind(blocks.subList(from, i)),
                                start,
                                end,
                                blocks.get(i - 1).path(),
                                false),
                        parts);
                from = i;
            }
        }
        if (parts.isEmpty()) {
            add(reading, new Part(Kind.PROSE, 0, reading.text().length(), List.of(), false), parts);
        }
        return parts;
    }

    private static int start(Reading reading, List<Block> blocks, int index) {
        int line = reading.lines().start(blocks.get(index).firstLine());
        boolean shared = blocks.get(index - 1).endLine() > blocks.get(index).firstLine();
        return shared ? Math.max(line, blocks.get(index - 1).end()) : line;
    }

    private static boolean joined(Reading reading, Block before, Block next) {
        if (before.level() > 0 || next.level() > 0 || before.kind() == Block.Kind.FRONT_MATTER) {
            return false;
        }
        boolean leads = before.kind() == Block.Kind.PARAGRAPH
                && before.end() > before.start()
                && reading.text().charAt(before.end() - 1) == ':'
                && (!next.place().items().isEmpty() || next.place().table() > 0 || next.kind() == Block.Kind.CODE);
        boolean answers = next.kind() == Block.Kind.ANSWER && before.kind() == Block.Kind.QUESTION;
        return before.place().group() == next.place().group() || leads || answers;
    }

    private static Kind kind(List<Block> blocks) {
        Block last = blocks.get(blocks.size() - 1);
        if (last.kind() == Block.Kind.FRONT_MATTER) {
            return Kind.FRONT_MATTER;
        }
        if (last.level() > 0) {
            return Kind.HEADING;
        }
        if (blocks.stream().anyMatch(block -> !block.place().items().isEmpty())) {
            return Kind.LIST;
        }
        return last.kind() == Block.Kind.CODE || last.place().table() > 0 ? Kind.LINES : Kind.PROSE;
    }

    /** Adds the text of a part before, between and after embedded data. */
    private static void add(Reading reading, Part part, List<Part> parts) {
        int from = part.start();
        boolean apart = false;
        for (Reading.Range data : reading.hiddenIn(part.start(), part.end())) {
            if (data.end() - data.start() >= DATA && data.start() >= from) {
                addNonBlank(reading, new Part(part.kind(), from, data.start(), part.path(), apart), parts);
                from = data.end();
                apart = true;
            }
        }
        int rest = Math.min(from, part.end());
        addNonBlank(reading, new Part(part.kind(), rest, part.end(), part.path(), apart), parts);
    }

    private static void addNonBlank(Reading reading, Part part, List<Part> parts) {
        if (!reading.text().substring(part.start(), part.end()).isBlank()) {
            boolean gap = !parts.isEmpty() && parts.get(parts.size() - 1).end() < part.start();
            parts.add(new Part(part.kind(), part.start(), part.end(), part.path(), part.apart() || gap));
        }
    }

    /** Adjacent parts as one of unknown structure, except where they must not be merged. */
    static List<Part> merged(List<Part> blocks) {
        List<Part> merged = new ArrayList<>();
        for (Part block : blocks) {
            Part last = merged.isEmpty() || block.apart() ? null : merged.remove(merged.size() - 1);
            int start = last == null ? block.start() : last.start();
            boolean apart = last == null ? block.apart() : last.apart();
            merged.add(new Part(Part.Kind.TEXT, start, block.end(), List.of(), apart));
        }
        return merged;
    }

    /** The headings that both paths begin with. */
    static List<Heading> common(List<Heading> a, List<Heading> b) {
        int n = 0;
        while (n < Math.min(a.size(), b.size()) && a.get(n).equals(b.get(n))) {
            n++;
        }
        return a.subList(0, n);
    }
}
