package dev.pollux.internal;

import dev.pollux.MalformedFileException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A strict JSON reader (RFC 8259) for the headers of tensor files: no duplicate keys, no byte order mark, bounded
 * depth and number of values; and a writer of the same values.
 *
 * <p>Values are {@code Map}, {@code List}, {@code String}, {@code Long} (whole numbers), {@code Double}, {@code Boolean}
 * and {@code Optional.empty()} for null. <em>Not thread-safe: one thread at a time.</em>
 */
public final class Json {

    private static final Pattern NUMBER = Pattern.compile("-?(?:0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
    private static final int MAX_DEPTH = 64;
    private static final int MAX_VALUES = 1 << 22;

    private final CharBuffer in;
    private final String source;
    private int values;

    private Json(CharBuffer in, String source) {
        this.in = in;
        this.source = source;
    }

    /**
     * The one value in {@code utf8}.
     *
     * @param source named in error messages
     * @throws MalformedFileException if it is not JSON
     */
    public static Object parse(ByteBuffer utf8, String source) {
        try {
            Json json = new Json(StandardCharsets.UTF_8.newDecoder().decode(utf8), source);
            Object value = json.value(0);
            json.space();
            if (json.in.hasRemaining()) {
                throw json.malformed("something follows the value");
            }
            return value;
        } catch (CharacterCodingException e) {
            throw new MalformedFileException(source + " is not UTF-8", e);
        }
    }

    /**
     * The text of a value, without white space; maps keep their order.
     *
     * @param value of the types that {@link #parse} gives, or an {@code Integer}
     * @throws IllegalArgumentException if it holds anything else
     */
    public static String text(Object value) {
        StringBuilder text = new StringBuilder();
        write(value, text);
        return text.toString();
    }

    private static void write(Object value, StringBuilder into) {
        if (value instanceof Map<?, ?> map) {
            String before = "{";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                into.append(before);
                write(entry.getKey().toString(), into);
                into.append(':');
                write(entry.getValue(), into);
                before = ",";
            }
            into.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            String before = "[";
            for (Object element : list) {
                into.append(before);
                write(element, into);
                before = ",";
            }
            into.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String string) {
            write(string, into);
        } else if (value instanceof Optional<?> none && none.isEmpty()) {
            into.append("null");
        } else if (value instanceof Long
                || value instanceof Integer
                || value instanceof Boolean
                || value instanceof Double number && Double.isFinite(number)) {
            into.append(value);
        } else {
            throw new IllegalArgumentException(
                    "a value of JSON must be a map, list, text, finite number, truth value or empty but was " + value);
        }
    }

    private static void write(String text, StringBuilder into) {
        into.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> into.append('\\').append(c);
                case '\b' -> into.append("\\b");
                case '\f' -> into.append("\\f");
                case '\n' -> into.append("\\n");
                case '\r' -> into.append("\\r");
                case '\t' -> into.append("\\t");
                default -> {
                    boolean pair = Character.isHighSurrogate(c)
                            && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1));
                    if (pair) {
                        into.append(c).append(text.charAt(++i));
                    } else if (c < 0x20 || Character.isSurrogate(c)) { // half of a pair has no UTF-8
                        into.append(String.format("\\u%04X", (int) c));
                    } else {
                        into.append(c);
                    }
                }
            }
        }
        into.append('"');
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw malformed("values are nested deeper than " + MAX_DEPTH);
        }
        if (++values > MAX_VALUES) {
            throw malformed("it holds more than " + MAX_VALUES + " values");
        }
        space();
        char c = peek();
        return switch (c) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", Optional.empty());
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> map = new LinkedHashMap<>();
        expect('{');
        if (skipped('}')) {
            return map;
        }
        do {
            space();
            String key = string();
            space();
            expect(':');
            if (map.put(key, value(depth + 1)) != null) {
                throw malformed("key '" + key + "' occurs twice");
            }
        } while (skipped(','));
        space();
        expect('}');
        return map;
    }

    private List<Object> array(int depth) {
        List<Object> list = new ArrayList<>();
        expect('[');
        if (skipped(']')) {
            return list;
        }
        do {
            list.add(value(depth + 1));
        } while (skipped(','));
        space();
        expect(']');
        return list;
    }

    private String string() {
        expect('"');
        StringBuilder text = new StringBuilder();
        for (char c = take(); c != '"'; c = take()) {
            if (c < 0x20) {
                throw malformed("a string contains a control character");
            }
            text.append(c == '\\' ? escape() : c);
        }
        return text.toString();
    }

    private char escape() {
        char c = take();
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unicode();
            default -> throw malformed("unknown escape \\" + c);
        };
    }

    private char unicode() {
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(take(), 16);
            if (digit < 0) {
                throw malformed("\\u needs four hex digits");
            }
            code = code * 16 + digit;
        }
        return (char) code;
    }

    private Object number() {
        int from = in.position();
        while (in.hasRemaining() && "+-.eE0123456789".indexOf(in.get(in.position())) >= 0) {
            in.get();
        }
        String text = in.duplicate().position(from).limit(in.position()).toString();
        Matcher number = NUMBER.matcher(text);
        if (!number.matches()) {
            throw malformed("expected a value");
        }
        if (number.group(1) != null || number.group(2) != null) {
            return Double.valueOf(text);
        }
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            throw malformed("the number " + text + " is too large");
        }
    }

    private Object word(String word, Object value) {
        for (int i = 0; i < word.length(); i++) {
            expect(word.charAt(i));
        }
        return value;
    }

    private boolean skipped(char c) {
        space();
        if (in.hasRemaining() && peek() == c) {
            in.get();
            return true;
        }
        return false;
    }

    private void space() {
        while (in.hasRemaining() && " \t\r\n".indexOf(in.get(in.position())) >= 0) {
            in.get();
        }
    }

    private void expect(char c) {
        if (take() != c) {
            throw malformed("expected '" + c + "'");
        }
    }

    private char peek() {
        if (!in.hasRemaining()) {
            throw malformed("it ends early");
        }
        return in.get(in.position());
    }

    private char take() {
        char c = peek();
        in.get();
        return c;
    }

    private MalformedFileException malformed(String why) {
        return new MalformedFileException(source + " is not valid JSON: " + why + " (character " + in.position() + ")");
    }
}
