package dev.pollux.inference.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code value.name} and {@code value[item]}: each tries the other way second, and gives an undefined value at last. */
final class Access {

    private Access() {}

    /** {@code value.name}: attributes come before items. */
    static Object attribute(Interpreter in, Object value, String name) {
        Object found = find(value, name);
        if (found == null) {
            found = lookup(in, value, name);
        }
        return found == null ? Undefined.attribute(value, name) : found;
    }

    /** {@code value[item]}: items come before attributes. */
    static Object item(Interpreter in, Object value, Object item) {
        Object found = lookup(in, value, item);
        if (found == null && Types.isString(item)) {
            found = find(value, Types.text(item));
        }
        return found == null ? Undefined.attribute(value, item) : found;
    }

    /** The attribute alone; null where there is none. */
    static @Nullable Object find(Object value, String name) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (value instanceof Namespace namespace) {
            return namespace.attributes().get(name);
        } else if (value instanceof Loop loop) {
            return loop.attribute(name);
        } else if (value instanceof Cycler cycler) {
            return cycler.attribute(name);
        } else if (value instanceof Macro macro) {
            return macro.attribute(name);
        } else if (value instanceof Tuple tuple && tuple.group()) {
            int index = List.of("grouper", "list").indexOf(name);
            if (index >= 0) {
                return tuple.items().get(index);
            }
        }
        return Methods.find(value, name);
    }

    private static @Nullable Object lookup(Interpreter in, Object value, Object item) {
        if (value instanceof Dict dict) {
            if (item instanceof List || item instanceof Dict) {
                return null;
            }
            return dict.get(in.comparison().key(item));
        } else if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (!Types.isInteger(item)) {
            return null;
        }
        int index = Numbers.clamp(item);
        if (Types.isListOrTuple(value)) {
            List<Object> items = Types.items(value);
            int at = index < 0 ? index + items.size() : index;
            return at >= 0 && at < items.size() ? items.get(at) : null;
        } else if (value instanceof Range range) {
            int at = index < 0 ? index + range.size() : index;
            return at >= 0 && at < range.size() ? range.get(at) : null;
        } else if (Types.isString(value)) {
            String text = Types.text(value);
            in.budget().scan(text.length());
            int size = CodePoints.length(text);
            int at = index < 0 ? index + size : index;
            if (at < 0 || at >= size) {
                return null;
            }
            int begin = CodePoints.offset(text, at);
            String character = in.origins().part(text, begin, text.offsetByCodePoints(begin, 1));
            return value instanceof Markup ? new Markup(character) : character;
        }
        return null;
    }
}
