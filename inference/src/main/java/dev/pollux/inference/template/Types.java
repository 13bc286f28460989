package dev.pollux.inference.template;

import java.math.BigInteger;
import java.util.List;

/** Python's names of the types of values, and which values are of which kind. */
final class Types {

    private Types() {}

    static String name(Object value) {
        if (value instanceof String) {
            return "str";
        } else if (value instanceof Boolean) {
            return "bool";
        } else if (value instanceof Long || value instanceof BigInteger) {
            return "int";
        } else if (value instanceof Double) {
            return "float";
        } else if (value instanceof List) {
            return "list";
        } else if (value instanceof Dict) {
            return "dict";
        } else if (value instanceof DictView view) {
            return view.kind().type;
        } else if (value instanceof Lazy lazy) {
            return lazy.type();
        } else if (value instanceof Callable callable) {
            return callable.type();
        } else if (value == None.NONE) {
            return "NoneType";
        }
        return value instanceof Range
                ? "range"
                : value.getClass().getSimpleName().replace("Tuple", "tuple");
    }

    static boolean isString(Object value) {
        return value instanceof String || value instanceof Markup;
    }

    /** Of Python's int, which its bool is a kind of. */
    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof Boolean || value instanceof BigInteger;
    }

    static boolean isNumber(Object value) {
        return value instanceof Double || isInteger(value);
    }

    /** The characters of a string of either kind. */
    static String text(Object string) {
        return string instanceof Markup markup ? markup.text() : (String) string;
    }

    /** The items of a list or tuple. */
    @SuppressWarnings("unchecked")
    static List<Object> items(Object sequence) {
        return sequence instanceof Tuple tuple ? tuple.items() : (List<Object>) sequence;
    }

    static boolean isListOrTuple(Object value) {
        return value instanceof List || value instanceof Tuple;
    }
}
