package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Item;
import dev.pollux.internal.text.Block.Place;
import dev.pollux.internal.text.Syntax.Mark;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The quotes, list items, footnotes and definitions that are open at a line. <em>Confined to one thread.</em> */
final class Containers {

    private enum Type {
        ROOT,
        QUOTE,
        ITEM,
        NOTE,
        DEFINITION
    }

    /** A list as far as it was read: its number, the type of its marks, the number of its next item. */
    private record Run(int list, char type, boolean ordered, int next) {}

    /** One container. */
    static final class Container {
        private final Type type;
        private final int width; // columns by which its lines are indented
        private final @Nullable Item item;
        private final String note;
        private @Nullable Run run; // the list that ends here
        private boolean adjacent; // whether nothing is between that list and this position

        private Container(Type type, int width, @Nullable Item item, String note) {
            this.type = type;
            this.width = width;
            this.item = item;
            this.note = note;
        }
    }

    private final List<Container> open = new ArrayList<>(List.of(new Container(Type.ROOT, 0, null, "")));
    private int lists;
    private int groups;

    /** Containers inside the document. */
    int depth() {
        return open.size() - 1;
    }

    boolean inItem() {
        return open.stream().anyMatch(container -> container.type == Type.ITEM);
    }

    boolean inQuote() {
        return open.stream().anyMatch(container -> container.type == Type.QUOTE);
    }

    /** Whether the container inside the outer {@code depth} ones is a definition. */
    boolean isDefinition(int depth) {
        return open.get(depth + 1).type == Type.DEFINITION;
    }

    boolean atItemStart(int line) {
        Item item = last().item;
        return item != null && item.line() == line;
    }

    /** Consumes the prefixes of the open containers; how many go on. */
    int match(LineCursor cursor) {
        for (int i = 1; i < open.size(); i++) {
            Container container = open.get(i);
            if (container.type == Type.QUOTE) {
                if (cursor.peek() != '>' || cursor.indent() > 3) {
                    return i - 1;
                }
                cursor.take(1);
                cursor.skip(1);
            } else if (!cursor.blank()) {
                if (cursor.indent() < container.width) {
                    return i - 1;
                }
                cursor.skip(container.width);
            }
        }
        return depth();
    }

    void quote(LineCursor cursor) {
        leaf();
        cursor.take(1);
        cursor.skip(1);
        open.add(new Container(Type.QUOTE, 0, null, ""));
    }

    void item(LineCursor cursor, Mark mark, int line) {
        int indent = cursor.indent();
        cursor.take(mark.length());
        int space = cursor.indent();
        int padding = cursor.blank() || space > 4 ? 1 : space;
        cursor.skip(padding);
        Container parent = last();
        Run run = parent.run;
        boolean goesOn = run != null
                && run.ordered == mark.ordered()
                && run.type == mark.type()
                && (parent.adjacent || mark.ordered() && mark.number() == run.next);
        if (depth() == 0 && !(goesOn && parent.adjacent)) {
            groups++;
        }
        if (!goesOn || run == null) {
            run = new Run(++lists, mark.type(), mark.ordered(), mark.number());
        }
        String shown = mark.ordered() ? run.next + String.valueOf(mark.type()) : "-";
        Item item = new Item(run.list, mark.ordered() ? run.next : 0, shown, line);
        parent.run = new Run(run.list, run.type, run.ordered, run.next + 1);
        parent.adjacent = true;
        open.add(new Container(Type.ITEM, indent + mark.length() + padding, item, ""));
    }

    void note(LineCursor cursor, String label, int mark) {
        leaf();
        cursor.take(mark);
        cursor.skip(cursor.indent());
        open.add(new Container(Type.NOTE, 2, null, label));
    }

    void definition(LineCursor cursor) {
        int indent = cursor.indent();
        cursor.take(1);
        int space = cursor.indent();
        cursor.skip(space);
        open.add(new Container(Type.DEFINITION, Math.min(4, indent + 1 + space), null, ""));
    }

    void close(int depth) {
        open.subList(depth + 1, open.size()).clear();
    }

    /** A leaf or another container begins in the innermost one: a list before it has ended, unless its numbers go on. */
    void leaf() {
        last().adjacent = false;
        if (depth() == 0) {
            groups++;
        }
    }

    /** A heading was read: no list goes on after it. */
    void section() {
        last().run = null;
    }

    /** The place of the next block. */
    Place next() {
        return next(0);
    }

    /** The same in a table. */
    Place next(int table) {
        int quotes = 0;
        List<Item> items = new ArrayList<>();
        String note = "";
        boolean defines = false;
        for (Container container : open) {
            quotes += container.type == Type.QUOTE ? 1 : 0;
            note = container.type == Type.NOTE ? container.note : note;
            defines |= container.type == Type.DEFINITION;
            if (container.item != null) {
                items.add(container.item);
            }
        }
        return new Place(groups, quotes, List.copyOf(items), table, note, defines);
    }

    private Container last() {
        return open.get(open.size() - 1);
    }
}
