package dev.pollux.inference.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * How one value is laid out: {@code [[fill]align][sign][#][0][width][grouping][.precision][type]}, Python's format
 * specification. <em>Immutable.</em>
 *
 * @param align one of {@code < > = ^}, or NUL for the default of the type
 * @param sign one of {@code - + space}
 * @param grouping {@code ,} or {@code _}, or NUL for none
 * @param precision -1 for none
 * @param type the letter at the end, or NUL for none
 */
record FormatSpec(
        String fill, char align, char sign, boolean alternate, int width, char grouping, int precision, char type) {

    /** Wider than anything sensible, and far below what could hurt. */
    private static final int MAX_SIZE = 10_000;

    static FormatSpec parse(String spec) {
        int i = 0;
        String fill = " ";
        char align = 0;
        boolean filled = false;
        int second = spec.isEmpty() ? 0 : Character.charCount(spec.codePointAt(0));
        if (second > 0 && second < spec.length() && isAlign(spec.charAt(second))) {
            fill = spec.substring(0, second);
            filled = true;
            align = spec.charAt(second);
            i = second + 1;
        } else if (!spec.isEmpty() && isAlign(spec.charAt(0))) {
            align = spec.charAt(0);
            i = 1;
        }
        Cursor in = new Cursor(spec, i);
        char sign = in.oneOf("+- ", '-');
        boolean alternate = in.oneOf("#", (char) 0) != 0;
        if (in.oneOf("0", (char) 0) != 0 && !filled) {
            fill = "0";
            align = align == 0 ? '=' : align;
        }
        int width = Math.max(0, in.number());
        char grouping = in.oneOf(",_", (char) 0);
        int precision = -1;
        if (in.oneOf(".", (char) 0) != 0) {
            precision = in.number();
            if (precision < 0) {
                throw Failure.of("ValueError: Format specifier missing precision");
            }
        }
        char type = in.oneOf("bcdeEfFgGnosxX%", (char) 0);
        if (in.at < spec.length()) {
            throw Failure.of("ValueError: Invalid format specifier '" + spec + "'");
        }
        return new FormatSpec(fill, align, sign, alternate, width, grouping, precision, type);
    }

    private static boolean isAlign(char c) {
        return "<>=^".indexOf(c) >= 0;
    }

    private static final class Cursor {

        private final String text;
        private int at;

        Cursor(String text, int at) {
            this.text = text;
            this.at = at;
        }

        char oneOf(String choices, char otherwise) {
            return at < text.length() && choices.indexOf(text.charAt(at)) >= 0 ? text.charAt(at++) : otherwise;
        }

        /** The number that stands here, or -1. */
        int number() {
            int from = at;
            long value = 0;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                value = Math.min(MAX_SIZE + 1, value * 10 + text.charAt(at++) - '0');
            }
            return from == at ? -1 : size(value);
        }
    }

    static int size(long value) {
        if (value > MAX_SIZE) {
            throw Failure.of("a width or precision exceeds " + MAX_SIZE);
        }
        return (int) value;
    }

    /** {@code value} laid out; numbers by their rules, all else as its {@code str}. */
    String format(Object value, Printer printer) {
        if (Types.isInteger(value)) {
            return type != 0 && "eEfFgG%".indexOf(type) >= 0
                    ? number(real(Numbers.doubleValue(value)))
                    : number(integer(Numbers.big(value)));
        } else if (value instanceof Double real) {
            return number(real(real));
        } else if (type != 0 && type != 's' || align == '=' || grouping != 0) {
            throw Failure.of("ValueError: Unknown format code '" + (type == 0 ? '=' : type) + "' for object of type '"
                    + Types.name(value) + "'");
        }
        String text = printer.str(value);
        if (precision >= 0 && CodePoints.length(text) > precision) {
            text = CodePoints.substring(text, 0, precision);
        }
        return pad(text, "", align == 0 ? '<' : align);
    }

    private String number(String signed) {
        boolean negative = signed.startsWith("-");
        String body = negative ? signed.substring(1) : signed;
        String mark = negative ? "-" : sign == '-' ? "" : String.valueOf(sign);
        int prefix = alternate && type != 0 && "box".indexOf(Character.toLowerCase(type)) >= 0 ? 2 : 0;
        return pad(body.substring(prefix), mark + body.substring(0, prefix), align == 0 ? '>' : align);
    }

    private String pad(String body, String head, char alignment) {
        int missing = width - CodePoints.length(body) - head.length();
        if (missing <= 0) {
            return head + body;
        }
        return switch (alignment) {
            case '<' -> head + body + fill.repeat(missing);
            case '=' -> head + fill.repeat(missing) + body;
            case '^' -> fill.repeat(missing / 2) + head + body + fill.repeat(missing - missing / 2);
            default -> fill.repeat(missing) + head + body;
        };
    }

    private String integer(BigInteger value) {
        if (precision >= 0) {
            throw Failure.of("ValueError: Precision not allowed in integer format specifier");
        }
        String sign = value.signum() < 0 ? "-" : "";
        String digits = switch (type) {
            case 'b' -> (alternate ? "0b" : "") + value.abs().toString(2);
            case 'o' -> (alternate ? "0o" : "") + value.abs().toString(8);
            case 'x' -> (alternate ? "0x" : "") + value.abs().toString(16);
            case 'X' -> (alternate ? "0X" : "") + value.abs().toString(16).toUpperCase(java.util.Locale.ROOT);
            case 'c' -> Character.toString(codePoint(value));
            case 's' -> throw Failure.of("ValueError: Unknown format code 's' for object of type 'int'");
            default -> group(value.abs().toString());
        };
        return sign + digits;
    }

    private static int codePoint(BigInteger value) {
        if (value.signum() < 0 || value.bitLength() > 21 || !Character.isValidCodePoint(value.intValue())) {
            throw Failure.of("OverflowError: %c arg not in range(0x110000)");
        }
        return value.intValue();
    }

    /** The whole digits of {@code number} in threes, where grouping is asked for. */
    private String group(String number) {
        if (grouping == 0) {
            return number;
        }
        int whole = 0;
        while (whole < number.length() && Character.isDigit(number.charAt(whole))) {
            whole++;
        }
        StringBuilder grouped = new StringBuilder(number);
        for (int i = whole - 3; i > 0; i -= 3) {
            grouped.insert(i, grouping);
        }
        return grouped.toString();
    }

    private String real(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            String name = Numbers.print(value) + (type == '%' ? "%" : "");
            return Character.isUpperCase(type) ? name.toUpperCase(java.util.Locale.ROOT) : name;
        }
        boolean negative = value < 0 || value == 0 && 1 / value < 0;
        double magnitude = Math.abs(value);
        int places = precision < 0 ? 6 : precision;
        String text = switch (type) {
            case 'e', 'E' -> scientific(magnitude, places);
            case 'f', 'F' -> fixed(magnitude, places);
            case '%' -> fixed(magnitude * 100, places) + "%";
            case 'g', 'G', 'n' -> general(magnitude, places, false);
            case 0 -> precision < 0 ? Numbers.print(magnitude) : general(magnitude, places, true);
            default -> throw Failure.of("ValueError: Unknown format code '" + type + "' for object of type 'float'");
        };
        text = Character.isUpperCase(type) ? text.toUpperCase(java.util.Locale.ROOT) : text;
        return (negative ? "-" : "") + group(text);
    }

    private static String fixed(double value, int places) {
        return new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
    }

    private static String scientific(double value, int places) {
        if (value == 0) {
            return "0" + (places > 0 ? "." + "0".repeat(places) : "") + "e+00";
        }
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(places + 1, RoundingMode.HALF_EVEN));
        String digits = rounded.unscaledValue().toString();
        int exponent = digits.length() - 1 - rounded.scale();
        digits = digits.length() > places + 1
                ? digits.substring(0, places + 1)
                : digits + "0".repeat(places + 1 - digits.length());
        return digits.charAt(0) + (places > 0 ? "." + digits.substring(1) : "") + "e" + Numbers.exponent(exponent);
    }

    /** Fixed or scientific, whichever suits; without a type, a float keeps one decimal at least. */
    private String general(double value, int places, boolean keepPoint) {
        int significant = Math.max(1, places);
        String e = scientific(value, significant - 1);
        int exponent = Integer.parseInt(e.substring(e.indexOf('e') + 1));
        if (exponent < -4 || exponent >= significant) {
            String mantissa = e.substring(0, e.indexOf('e'));
            return (alternate ? mantissa : stripZeros(mantissa)) + e.substring(e.indexOf('e'));
        }
        String plain = fixed(value, significant - 1 - exponent);
        String stripped = alternate ? plain : stripZeros(plain);
        return keepPoint && stripped.indexOf('.') < 0 ? stripped + ".0" : stripped;
    }

    private static String stripZeros(String number) {
        if (number.indexOf('.') < 0) {
            return number;
        }
        int end = number.length();
        while (number.charAt(end - 1) == '0') {
            end--;
        }
        return number.substring(0, number.charAt(end - 1) == '.' ? end - 1 : end);
    }
}
