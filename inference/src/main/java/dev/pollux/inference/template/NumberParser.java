package dev.pollux.inference.template;

import java.math.BigInteger;
import java.util.Locale;
import java.util.Optional;

/** Reads numbers from strings as Python's {@code int(text, base)} and {@code float(text)} do. */
final class NumberParser {

    private static final int MAX_LENGTH = 4300;

    private NumberParser() {}

    /** Empty where Python raises ValueError; {@code base} 0 or in [2, 36]. */
    static Optional<Object> integer(String text, int base) {
        String digits = trim(text);
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        int radix = base;
        int prefixed = prefix(digits);
        if (prefixed != 0 && (base == 0 || base == prefixed)) {
            radix = prefixed;
            digits = digits.substring(digits.startsWith("_", 2) ? 3 : 2);
        } else if (base == 0) {
            radix = 10;
            if (digits.startsWith("0") && digits.replace("_", "").chars().anyMatch(c -> c != '0')) {
                return Optional.empty();
            }
        }
        Optional<String> plain = withoutUnderscores(digits);
        if (plain.isEmpty() || plain.get().length() > MAX_LENGTH || !allDigits(plain.get(), radix)) {
            return Optional.empty();
        }
        BigInteger value = new BigInteger(plain.get(), radix);
        return Optional.of(Numbers.integer(negative ? value.negate() : value));
    }

    private static int prefix(String digits) {
        if (digits.length() < 3 || digits.charAt(0) != '0') {
            return 0;
        }
        return switch (digits.charAt(1)) {
            case 'x', 'X' -> 16;
            case 'o', 'O' -> 8;
            case 'b', 'B' -> 2;
            default -> 0;
        };
    }

    private static boolean allDigits(String text, int radix) {
        return !text.isEmpty() && text.chars().allMatch(c -> Character.digit(c, radix) >= 0);
    }

    /** Underscores may stand between two digits, and nowhere else. */
    private static Optional<String> withoutUnderscores(String digits) {
        if (digits.startsWith("_") || digits.endsWith("_") || digits.contains("__")) {
            return Optional.empty();
        }
        return Optional.of(digits.replace("_", ""));
    }

    /** Empty where Python raises ValueError. */
    static Optional<Double> real(String text) {
        String number = trim(text).toLowerCase(Locale.ROOT);
        String unsigned = number.startsWith("-") || number.startsWith("+") ? number.substring(1) : number;
        double sign = number.startsWith("-") ? -1 : 1;
        switch (unsigned) {
            case "inf", "infinity" -> {
                return Optional.of(sign * Double.POSITIVE_INFINITY);
            }
            case "nan" -> {
                return Optional.of(Double.NaN);
            }
            default -> {
                return isDecimal(unsigned)
                        ? Optional.of(sign * Double.parseDouble(unsigned.replace("_", "")))
                        : Optional.empty();
            }
        }
    }

    /** {@code digits [. digits] [e [sign] digits]}, with a digit before or after the point. */
    private static boolean isDecimal(String text) {
        if (text.length() > MAX_LENGTH) {
            return false;
        }
        int whole = digits(text, 0);
        int i = whole;
        int fraction = 0;
        if (i < text.length() && text.charAt(i) == '.') {
            fraction = digits(text, i + 1) - (i + 1);
            i += 1 + fraction;
        }
        if (whole == 0 && fraction == 0) {
            return false;
        }
        if (i < text.length() && text.charAt(i) == 'e') {
            int from = i + 1;
            if (from < text.length() && "+-".indexOf(text.charAt(from)) >= 0) {
                from++;
            }
            i = digits(text, from);
            return i > from && i == text.length();
        }
        return i == text.length();
    }

    /** The end of the digits, with underscores between them, that begin at {@code from}. */
    private static int digits(String text, int from) {
        int i = from;
        while (i < text.length()
                && (isDigit(text.charAt(i))
                        || text.charAt(i) == '_'
                                && i > from
                                && isDigit(text.charAt(i - 1))
                                && i + 1 < text.length()
                                && isDigit(text.charAt(i + 1)))) {
            i++;
        }
        return i;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static String trim(String text) {
        return CodePoints.stripStart(CodePoints.stripEnd(text));
    }
}
