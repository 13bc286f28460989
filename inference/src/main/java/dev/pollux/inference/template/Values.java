package dev.pollux.inference.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Java's values made values of a template, their strings entered as input. Not input are the model's own tokens ({@code
 * bos_token} and its likes) and the roles of messages, of which templates compose control tokens: {@code <|user|>}.
 * <em>Not thread-safe: one thread at a time.</em>
 */
final class Values {

    private static final Pattern ROLE = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    private final Interpreter in;
    private boolean input;
    private boolean messages;

    Values(Interpreter in) {
        this.in = in;
    }

    /** The value of the variable {@code name}. */
    Object variable(String name, @Nullable Object value) {
        input = !name.endsWith("_token");
        messages = name.equals("messages");
        return of(value);
    }

    /** Null and the empty Optional become none; maps and lists are copied in depth. */
    private Object of(@Nullable Object value) {
        if (value == null) {
            return None.NONE;
        } else if (value instanceof Boolean || value instanceof Long || value instanceof Double) {
            return value;
        } else if (value instanceof Number number) {
            return number(number);
        } else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) {
            String text = value.toString();
            return input ? in.origins().input(text) : text;
        } else if (value instanceof Optional<?> optional) {
            return of(optional.orElse(null));
        }
        in.budget().enter();
        Object container = container(value);
        in.budget().leave();
        return container;
    }

    private static Object number(Number number) {
        if (number instanceof BigInteger big) {
            return Numbers.integer(big);
        } else if (number instanceof BigDecimal || number instanceof Float) {
            return Double.valueOf(number.toString());
        } else if (number instanceof Integer || number instanceof Short || number instanceof Byte) {
            return number.longValue();
        }
        throw unsuitable(number);
    }

    private Object container(Object value) {
        if (value instanceof Map<?, ?> map) {
            Dict dict = new Dict();
            map.forEach((key, item) -> {
                Object name = of(key);
                boolean role = messages && "role".equals(key) && item instanceof String text && isRole(text);
                dict.put(in.comparison().key(name), name, role ? item : of(item));
            });
            return dict;
        } else if (value instanceof Iterable<?> iterable) {
            List<Object> items = new ArrayList<>();
            iterable.forEach(item -> items.add(of(item)));
            return items;
        } else if (value instanceof Object[] array) {
            return of(java.util.Arrays.asList(array));
        }
        throw unsuitable(value);
    }

    private static boolean isRole(String text) {
        return ROLE.matcher(text).matches();
    }

    private static Failure unsuitable(Object value) {
        return Failure.of("a template cannot be given a " + value.getClass().getName()
                + "; use maps, lists, strings, numbers, booleans or null");
    }
}
