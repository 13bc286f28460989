package dev.pollux.inference.internal;

import java.math.BigInteger;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A string, a number, a boolean, null, or a missing value. <em>Immutable.</em>
 *
 * <p>Numbers are {@code Integer}, {@code Long} or {@code BigInteger}, the narrowest that fits, or {@code Double}, or {@code
 * Float} if one was added.
 */
final class ValueNode extends JsonNode {

    static final ValueNode NULL = new ValueNode(null, "null");
    static final ValueNode MISSING = new ValueNode(null, "");

    private static final ValueNode TRUE = new ValueNode(true, "true");
    private static final ValueNode FALSE = new ValueNode(false, "false");

    private final @Nullable Object value;
    private final @Nullable String written;

    /** @param written the original characters of a number; null for the default format */
    private ValueNode(@Nullable Object value, @Nullable String written) {
        this.value = value;
        this.written = written;
    }

    static ValueNode plain(@Nullable Object value) {
        if (value == null) {
            return NULL;
        }
        if (value instanceof Boolean flag) {
            return flag ? TRUE : FALSE;
        }
        if (value instanceof Long number && number == number.intValue()) {
            return new ValueNode(number.intValue(), null);
        }
        if (value instanceof CharSequence text) {
            return new ValueNode(text.toString(), null);
        }
        if (value instanceof Integer
                || value instanceof Long
                || value instanceof BigInteger
                || value instanceof Float
                || value instanceof Double) {
            return new ValueNode(value, null);
        }
        throw new IllegalArgumentException(
                "JSON has no form for a " + value.getClass().getName());
    }

    /** A non-integer or non-finite number, which keeps its original characters. */
    static ValueNode ofDecimal(double value, String written) {
        return new ValueNode(value, written);
    }

    /** Null for null and for a missing value. */
    @Nullable
    Object value() {
        return value;
    }

    /** The original characters of a number that was read; else null. */
    @Nullable
    String written() {
        return written;
    }

    @Override
    public boolean isString() {
        return value instanceof String;
    }

    @Override
    public boolean isNumber() {
        return value instanceof Number;
    }

    @Override
    public boolean isInt() {
        return value instanceof Integer;
    }

    @Override
    public boolean isBoolean() {
        return value instanceof Boolean;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // there is one
    public boolean isNull() {
        return this == NULL;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // there is one
    public boolean isMissingNode() {
        return this == MISSING;
    }

    @Override
    public String asString() {
        return asString("");
    }

    @Override
    public String asString(String fallback) {
        if (value == null) {
            return fallback;
        }
        return written != null ? written : value.toString();
    }

    @Override
    public int asInt() {
        OptionalLong whole = whole();
        if (whole.isEmpty() || whole.getAsLong() != (int) whole.getAsLong()) {
            return value == null ? 0 : super.asInt();
        }
        return (int) whole.getAsLong();
    }

    @Override
    public int asInt(int fallback) {
        OptionalLong whole = whole();
        return whole.isEmpty() || whole.getAsLong() != (int) whole.getAsLong() ? fallback : (int) whole.getAsLong();
    }

    @Override
    public long asLong() {
        OptionalLong whole = whole();
        if (whole.isEmpty()) {
            return value == null ? 0 : super.asLong();
        }
        return whole.getAsLong();
    }

    @Override
    public long asLong(long fallback) {
        return whole().orElse(fallback);
    }

    @Override
    public double asDouble() {
        OptionalDouble number = number();
        if (number.isEmpty()) {
            return value == null ? 0 : super.asDouble();
        }
        return number.getAsDouble();
    }

    @Override
    public double asDouble(double fallback) {
        return number().orElse(fallback);
    }

    @Override
    public boolean asBoolean() {
        Boolean flag = flag();
        if (flag == null) {
            return value != null && super.asBoolean();
        }
        return flag;
    }

    @Override
    public boolean asBoolean(boolean fallback) {
        Boolean flag = flag();
        return flag == null ? fallback : flag;
    }

    private OptionalLong whole() {
        if (value instanceof Integer || value instanceof Long) {
            return OptionalLong.of(((Number) value).longValue());
        }
        if (value instanceof Double || value instanceof Float) {
            double number = ((Number) value).doubleValue();
            return Math.abs(number) < 0x1p63 ? OptionalLong.of((long) number) : OptionalLong.empty();
        }
        if (value instanceof String text) {
            try {
                return OptionalLong.of(Long.parseLong(text.strip()));
            } catch (NumberFormatException e) {
                return OptionalLong.empty();
            }
        }
        return OptionalLong.empty();
    }

    private OptionalDouble number() {
        if (value instanceof Number number) {
            return OptionalDouble.of(number.doubleValue());
        }
        if (value instanceof String text) {
            try {
                return OptionalDouble.of(Double.parseDouble(text));
            } catch (NumberFormatException e) {
                return OptionalDouble.empty();
            }
        }
        return OptionalDouble.empty();
    }

    private @Nullable Boolean flag() {
        if (value instanceof Boolean flag) {
            return flag;
        }
        if (value instanceof Integer || value instanceof Long) {
            return ((Number) value).longValue() != 0;
        }
        if ("true".equals(value) || "false".equals(value)) {
            return "true".equals(value);
        }
        return null;
    }

    @Override
    public ValueNode deepCopy() {
        return this;
    }

    @Override
    public @Nullable Object toJava() {
        return value;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ValueNode node && Objects.equals(value, node.value) && (value != null || this == other);
    }

    @Override
    public int hashCode() {
        return Objects.hashCode(value);
    }
}
