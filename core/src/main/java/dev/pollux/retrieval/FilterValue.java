package dev.pollux.retrieval;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;

/**
 * A value that a {@link Filter} compares with a field. Its type determines how the field's text is parsed: the number {@code
 * 2024} equals the fields {@code "2024"} and {@code "2024.0"}; the text {@code "2024"} equals only {@code "2024"}.
 * <em>Immutable.</em>
 */
public sealed interface FilterValue {

    /**
     * The value of a Java object.
     *
     * @param value a {@link String}, {@link Number}, {@link LocalDate}, {@link Boolean}, or a {@code FilterValue}
     * @throws IllegalArgumentException if the value has another type or is a number that is not finite
     */
    static FilterValue of(Object value) {
        if (value instanceof FilterValue known) {
            return known;
        }
        if (value instanceof String text) {
            return new Text(text);
        }
        if (value instanceof Number number) {
            return new Decimal(decimal(number));
        }
        if (value instanceof LocalDate date) {
            return new Date(date);
        }
        if (value instanceof Boolean flag) {
            return new Flag(flag);
        }
        throw new IllegalArgumentException("A filter compares with a String, a Number, a LocalDate or a Boolean but was"
                + " given " + value + " (" + value.getClass().getName() + ")");
    }

    /** Whether a field with this text is equal to the value. */
    boolean isEqual(String text);

    /**
     * Compares a field with the value: negative if field &lt; value, 0 if they are equal, positive if field &gt; value.
     * Empty if the text does not have the value's type or the type has no order.
     */
    Optional<Integer> compare(String text);

    /** Whether values of this type have an order: numbers and dates. */
    default boolean isOrdered() {
        return false;
    }

    private static BigDecimal decimal(Number number) {
        if (number instanceof BigDecimal decimal) {
            return decimal;
        }
        if (number instanceof BigInteger integer) {
            return new BigDecimal(integer);
        }
        try {
            return new BigDecimal(number.toString());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("A filter compares with finite numbers but was given " + number, e);
        }
    }

    /**
     * Text, equal to a field with the same characters.
     *
     * @param text may be empty
     */
    record Text(String text) implements FilterValue {

        @Override
        public boolean isEqual(String other) {
            return text.equals(other);
        }

        @Override
        public Optional<Integer> compare(String other) {
            return Optional.empty();
        }

        /** The text in quotation marks; quotation marks and backslashes in it are escaped with a backslash. */
        @Override
        public String toString() {
            return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        }
    }

    /**
     * A number, compared by value with fields that are decimal numbers: 1 equals 1.0.
     *
     * @param number of any scale
     */
    record Decimal(BigDecimal number) implements FilterValue {

        /** Longer fields are not parsed as numbers: comparing a huge exponent could exhaust memory. */
        private static final int LONGEST = 64;

        private static final int MOST_DIGITS = 1_000;

        public Decimal {
            if (Math.abs((long) number.scale()) > MOST_DIGITS || number.precision() > MOST_DIGITS) {
                throw new IllegalArgumentException("A number in a filter must have at most " + MOST_DIGITS
                        + " digits on each side of its point but was " + number);
            }
            number = number.stripTrailingZeros();
        }

        @Override
        public boolean isEqual(String text) {
            return compare(text).filter(order -> order == 0).isPresent();
        }

        @Override
        public Optional<Integer> compare(String text) {
            String stripped = text.strip();
            try {
                return stripped.length() > LONGEST
                        ? Optional.empty()
                        : Optional.of(new BigDecimal(stripped).compareTo(number));
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }

        @Override
        public boolean isOrdered() {
            return true;
        }

        @Override
        public String toString() {
            return number.toPlainString();
        }
    }

    /**
     * A day, compared with fields that begin with an ISO 8601 date: {@code 2024-05-06}, {@code 2024-05-06T10:00Z}, {@code
     * 2024-05-06 10:00}. Time and zone are ignored.
     */
    record Date(LocalDate date) implements FilterValue {

        private static final int LENGTH = "2024-05-06".length();

        @Override
        public boolean isEqual(String text) {
            return compare(text).filter(order -> order == 0).isPresent();
        }

        @Override
        public Optional<Integer> compare(String text) {
            String stripped = text.strip();
            boolean whole = stripped.length() == LENGTH;
            boolean timed = stripped.length() > LENGTH && "Tt ".indexOf(stripped.charAt(LENGTH)) >= 0;
            try {
                return whole || timed
                        ? Optional.of(
                                LocalDate.parse(stripped.substring(0, LENGTH)).compareTo(date))
                        : Optional.empty();
            } catch (DateTimeParseException e) {
                return Optional.empty();
            }
        }

        @Override
        public boolean isOrdered() {
            return true;
        }

        @Override
        public String toString() {
            return date.toString();
        }
    }

    /** A boolean, equal to a field with the text {@code true} or {@code false} in any case. */
    record Flag(boolean flag) implements FilterValue {

        @Override
        public boolean isEqual(String text) {
            return text.strip().toLowerCase(Locale.ROOT).equals(toString());
        }

        @Override
        public Optional<Integer> compare(String text) {
            return Optional.empty();
        }

        @Override
        public String toString() {
            return String.valueOf(flag);
        }
    }
}
