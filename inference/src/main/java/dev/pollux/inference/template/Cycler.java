package dev.pollux.inference.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code cycler(a, b, ...)} gives: its items in turn, for ever. <em>Not thread-safe: one thread at a time.</em> */
final class Cycler {

    private final List<Object> items;
    private int at;

    Cycler(List<Object> items) {
        if (items.isEmpty()) {
            throw Failure.of("RuntimeError: at least one item has to be provided");
        }
        this.items = items;
    }

    @Nullable
    Object attribute(String name) {
        return switch (name) {
            case "current" -> items.get(at);
            case "items" -> Tuple.of(items);
            case "pos" -> (long) at;
            case "next" ->
                new Methods.Bound("next", (in, arguments) -> {
                    Object item = items.get(at);
                    at = (at + 1) % items.size();
                    return item;
                });
            case "reset" ->
                new Methods.Bound("reset", (in, arguments) -> {
                    at = 0;
                    return None.NONE;
                });
            default -> null;
        };
    }
}
