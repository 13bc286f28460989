package dev.pollux.rag.chunk;

import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.Block.Item;
import dev.pollux.internal.text.Lines;
import dev.pollux.internal.text.Reading;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Computes the lead of a chunk that begins inside a block: the table header, the opening fence or the introduction of the
 * list.
 */
final class Leads {

    private static final int LONGEST = 1_000;

    private final Reading reading;
    private final String text;
    private final Lines lines;
    private final List<Block> blocks;
    private final Map<Integer, Integer> heads = new HashMap<>(); // table -> index of its header
    private final Map<Integer, Integer> lists = new HashMap<>(); // list -> index of its first block

    Leads(Reading reading) {
        this.reading = reading;
        this.text = reading.text();
        this.lines = reading.lines();
        this.blocks = reading.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            Block block = blocks.get(i);
            if (block.kind() == Block.Kind.TABLE_HEAD) {
                heads.put(block.place().table(), i);
            }
            for (Item item : block.place().items()) {
                lists.putIfAbsent(item.list(), i);
            }
        }
    }

    /** The lead of a chunk that begins at {@code offset}; empty if none is needed or it is too long. */
    String at(int offset, Predicate<String> fits) {
        int index = indexAt(offset);
        if (index < 0) {
            return "";
        }
        Block block = blocks.get(index);
        String lead = "";
        if (block.kind() == Block.Kind.TABLE_ROW) {
            lead = head(block, offset);
        } else if (block.kind() == Block.Kind.CODE && lines.at(offset) > block.firstLine()) {
            String fence = lines.line(block.firstLine()).strip();
            lead = fence.startsWith("```") || fence.startsWith("~~~") ? fence + "\n" : "";
        } else if (!block.place().items().isEmpty()) {
            return list(index, offset, fits);
        } else if (block.kind() == Block.Kind.ANSWER || block.kind() == Block.Kind.PARAGRAPH) {
            lead = question(index);
        }
        return usable(lead, fits) ? lead : "";
    }

    private static boolean usable(String lead, Predicate<String> fits) {
        return lead.length() <= LONGEST && fits.test(lead);
    }

    /** The last block that begins on the line of {@code offset} or above it. */
    private int indexAt(int offset) {
        int line = lines.at(offset);
        int low = 0;
        int high = blocks.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (blocks.get(middle).firstLine() <= line) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }

    private String head(Block row, int offset) {
        Integer index = heads.get(row.place().table());
        if (index == null || blocks.get(index).start() >= offset) {
            return "";
        }
        Block head = blocks.get(index);
        return text.substring(lines.start(head.firstLine()), lines.next(head.endLine() - 1));
    }

    /** The introduction of a list, then the first lines of the enclosing items. */
    private String list(int index, int offset, Predicate<String> fits) {
        List<Item> items = blocks.get(index).place().items();
        int first = lists.getOrDefault(items.get(0).list(), index);
        int line = lines.at(offset);
        String before = first == 0 || line <= blocks.get(first).firstLine() ? "" : leadIn(blocks.get(first - 1));
        StringBuilder parents = new StringBuilder();
        for (Item item : items) {
            if (item.line() < line && !item.equals(items.get(items.size() - 1))) {
                parents.append(lines.line(item.line()).stripTrailing()).append('\n');
            }
        }
        String start = text.substring(lines.start(line), offset);
        parents.append(!parents.isEmpty() && start.isBlank() ? start : "");
        String whole = before + parents;
        return usable(whole, fits) ? whole : usable(before, fits) ? before : "";
    }

    /** A paragraph that ends with a colon. */
    private String leadIn(Block block) {
        boolean leads = block.kind() == Block.Kind.PARAGRAPH && block.of(text).endsWith(":");
        return leads ? reading.visible(block.start(), block.end()) + "\n\n" : "";
    }

    /** The marked question that a block answers. */
    private String question(int index) {
        for (int i = index - 1; i >= 0; i--) {
            Block block = blocks.get(i);
            boolean same = block.place().group() == blocks.get(index).place().group() || i == index - 1;
            if (block.kind() == Block.Kind.QUESTION && same && blocks.get(index).kind() == Block.Kind.ANSWER) {
                return text.substring(lines.start(block.firstLine()), block.end()) + "\n";
            }
            if (!same) {
                break;
            }
        }
        return "";
    }
}
