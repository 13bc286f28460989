package dev.pollux.retrieval;

import dev.pollux.MalformedFileException;
import dev.pollux.internal.Json;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.time.temporal.Temporal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The typed values of metadata. Documents hold texts; the form of a text is its type, and every type has one form, so that a
 * value of a source and the value that a host reads are equal:
 *
 * <table>
 * <caption>Forms</caption>
 * <tr><th>type</th><th>text</th></tr>
 * <tr><td>{@link Boolean}</td><td>{@code true}, {@code false}</td></tr>
 * <tr><td>{@link Long}, {@link BigDecimal}</td><td>a number of JSON with at most 15 digits: {@code 2024}, {@code -1.5}; not
 * {@code 007}</td></tr>
 * <tr><td>{@link LocalDate}</td><td>{@code 2024-05-06}</td></tr>
 * <tr><td>{@link List}</td><td>a JSON array of texts, numbers and booleans: {@code ["red","green"]}</td></tr>
 * <tr><td>{@link String}</td><td>any other text</td></tr>
 * </table>
 *
 * <p>A text that looks like a number is a number, whatever it was in its source. <em>Stateless, thread-safe.</em>
 */
public final class MetadataValue {

    private static final Pattern NUMBER = Pattern.compile("-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?");
    private static final int MOST_DIGITS = 15;
    private static final int LONGEST_LIST = 1 << 16;

    private MetadataValue() {}

    /** The value of a text: a {@link Boolean}, {@link Long}, {@link BigDecimal}, {@link LocalDate}, {@link List} or {@link String}. */
    public static Object of(String text) {
        if (text.equals("true") || text.equals("false")) {
            return Boolean.valueOf(text);
        }
        if (text.length() <= MOST_DIGITS + 2 && NUMBER.matcher(text).matches()) {
            BigDecimal number = new BigDecimal(text);
            if (number.precision() <= MOST_DIGITS) {
                return text.indexOf('.') < 0 ? (Object) number.longValueExact() : number;
            }
        }
        Optional<LocalDate> date = date(text);
        return date.isPresent()
                ? date.get()
                : list(text).<Object>map(list -> list).orElse(text);
    }

    private static Optional<LocalDate> date(String text) {
        try {
            boolean possible = text.length() == "2024-05-06".length() && text.charAt(4) == '-';
            return possible ? Optional.of(LocalDate.parse(text)) : Optional.empty();
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    /** The elements of a JSON array of texts, numbers and booleans; absent if the text is none. */
    static Optional<List<Object>> list(String text) {
        String stripped = text.strip();
        if (!stripped.startsWith("[") || !stripped.endsWith("]") || stripped.length() > LONGEST_LIST) {
            return Optional.empty();
        }
        try {
            Object parsed = Json.parse(StandardCharsets.UTF_8.encode(stripped), "list");
            if (!(parsed instanceof List<?> elements) || !elements.stream().allMatch(MetadataValue::isScalar)) {
                return Optional.empty();
            }
            return Optional.of(new ArrayList<>(elements));
        } catch (MalformedFileException e) {
            return Optional.empty();
        }
    }

    private static boolean isScalar(Object value) {
        return value instanceof String || value instanceof Number || value instanceof Boolean;
    }

    /**
     * The text of a value, which {@link #of} reads.
     *
     * @param value a {@link String}, {@link Number}, {@link Boolean}, a date or time of {@code java.time}, a {@link List} of
     *     them, a {@link Map} (as JSON), or an empty {@link Optional}, whose text is empty
     * @throws IllegalArgumentException if it holds anything else, or a number that is not finite
     */
    public static String text(Object value) {
        if (value instanceof Optional<?> optional) {
            return optional.map(MetadataValue::text).orElse("");
        }
        if (value instanceof BigDecimal number) {
            return number.toPlainString();
        }
        if (value instanceof Double || value instanceof Float) {
            return plain((Number) value);
        }
        if (value instanceof List<?> list) {
            return Json.text(list.stream().map(MetadataValue::element).toList());
        }
        if (value instanceof Map<?, ?>) {
            return Json.text(value);
        }
        if (value instanceof String
                || value instanceof Number
                || value instanceof Boolean
                || value instanceof Temporal) {
            return value.toString();
        }
        throw new IllegalArgumentException("metadata must be a text, number, truth value, date or list of them but was "
                + value + " (" + value.getClass().getName() + ")");
    }

    /** A number without an exponent and without {@code .0}, where that is short. */
    private static String plain(Number number) {
        double value = number.doubleValue();
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("metadata must be finite but was " + number);
        }
        BigDecimal decimal = new BigDecimal(number.toString()).stripTrailingZeros();
        String plain = decimal.toPlainString();
        return plain.length() <= MOST_DIGITS + 2 ? plain : number.toString();
    }

    private static Object element(Object value) {
        boolean plain = value instanceof Boolean
                || value instanceof Long
                || value instanceof Integer
                || value instanceof Double number && Double.isFinite(number)
                || value instanceof List<?>
                || value instanceof Map<?, ?>
                || value instanceof Optional<?>;
        return plain ? value : text(value);
    }
}
