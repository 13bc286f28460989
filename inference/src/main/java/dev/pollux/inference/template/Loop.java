package dev.pollux.inference.template;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}, which knows where its loop stands. <em>Not thread-safe: one thread at a time.</em> */
final class Loop implements Callable {

    private final Budget budget;
    private final Object iterable;
    private final int depth;
    private final @Nullable Function<Object, String> recursion;
    private Lookahead items;
    private int index = -1;
    private int length = -1;
    private @Nullable Object previous;
    private @Nullable Object current;
    private @Nullable List<Object> lastChanged;

    /** @param recursion renders the loop's body for other items, if the loop is a recursive one */
    Loop(Budget budget, Object iterable, int depth, @Nullable Function<Object, String> recursion) {
        this.budget = budget;
        this.iterable = iterable;
        this.depth = depth;
        this.recursion = recursion;
        this.items = Lookahead.over(Iteration.of(iterable, budget));
    }

    /** Goes to the next item, if there is one. */
    boolean advance() {
        if (!items.hasNext()) {
            return false;
        }
        previous = current;
        current = items.next();
        index++;
        return true;
    }

    Object current() {
        return current == null ? new Undefined("the loop has not begun") : current;
    }

    @Nullable
    Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "first" -> index == 0;
            case "last" -> !items.hasNext();
            case "length" -> (long) length();
            case "revindex" -> (long) length() - index;
            case "revindex0" -> (long) length() - index - 1;
            case "depth" -> depth + 1L;
            case "depth0" -> (long) depth;
            case "previtem" -> index == 0 || previous == null ? new Undefined("there is no previous item") : previous;
            case "nextitem" -> next();
            case "cycle" -> new Methods.Bound("cycle", (in, arguments) -> cycle(arguments.positional()));
            case "changed" -> new Methods.Bound("changed", (in, arguments) -> changed(in, arguments.positional()));
            default -> null;
        };
    }

    /** What is left of a generator is walked to count it. */
    int length() {
        if (length < 0) {
            if (iterable instanceof Lazy) {
                List<Object> rest = Iteration.list(Lazy.generator(items), budget);
                items = Lookahead.over(rest.iterator());
                length = index + 1 + rest.size();
            } else {
                length = Filters.length(iterable, budget).intValue();
            }
        }
        return length;
    }

    private Object next() {
        return items.hasNext() ? items.peek() : new Undefined("there is no next item");
    }

    private Object cycle(List<Object> values) {
        if (values.isEmpty()) {
            throw Failure.of("TypeError: no items for cycling given");
        }
        return values.get(index % values.size());
    }

    private boolean changed(Interpreter in, List<Object> values) {
        if (lastChanged != null && in.comparison().equal(lastChanged, values)) {
            return false;
        }
        lastChanged = values;
        return true;
    }

    @Override
    public Object call(Interpreter in, Arguments arguments) {
        if (recursion == null) {
            throw Failure.of("TypeError: the loop must have the 'recursive' marker to be called recursively");
        }
        return recursion.apply(arguments.bind("loop", "iterable").required(0));
    }

    @Override
    public String type() {
        return "LoopContext";
    }

    @Override
    public String print() {
        return "<LoopContext " + (index + 1) + "/" + length() + ">";
    }
}
