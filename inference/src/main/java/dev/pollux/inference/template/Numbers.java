package dev.pollux.inference.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;

/** Python's numbers: int as {@link Long} or, beyond, {@link BigInteger}; float as {@link Double}; bool is an int. */
final class Numbers {

    /** Python prints no int of more digits than 4300; neither are there larger ones here. */
    private static final int MAX_BITS = 14_284;

    private static final int MAX_DIGITS = 4300;

    private Numbers() {}

    /** An int in its one form. */
    static Object integer(BigInteger value) {
        if (value.bitLength() < 64) {
            return value.longValue();
        }
        checkBits(value.bitLength());
        return value;
    }

    static void checkBits(double bits) {
        if (bits > MAX_BITS) {
            throw Failure.of("an integer exceeds " + MAX_DIGITS + " digits");
        }
    }

    static BigInteger big(Object integer) {
        return integer instanceof BigInteger big ? big : BigInteger.valueOf(longValue(integer));
    }

    /** Of a Long or Boolean. */
    static long longValue(Object integer) {
        return integer instanceof Boolean flag ? (flag ? 1 : 0) : (Long) integer;
    }

    static double doubleValue(Object number) {
        if (number instanceof Double value) {
            return value;
        }
        double value = number instanceof BigInteger big ? big.doubleValue() : longValue(number);
        if (Double.isInfinite(value)) {
            throw Failure.of("OverflowError: int too large to convert to float");
        }
        return value;
    }

    /** An int used as a size or index; anything else fails. */
    static int index(Object value, String what) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (!Types.isInteger(value)) {
            throw Failure.of("TypeError: " + what + " must be an integer, not " + Types.name(value));
        }
        return clamp(value);
    }

    /** An int brought into Java's range, which no size exceeds. */
    static int clamp(Object integer) {
        if (integer instanceof BigInteger big) {
            return big.signum() < 0 ? -Integer.MAX_VALUE : Integer.MAX_VALUE;
        }
        return (int) Math.max(-Integer.MAX_VALUE, Math.min(Integer.MAX_VALUE, longValue(integer)));
    }

    static int compare(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            double x = a instanceof Double value ? value : 0;
            double y = b instanceof Double value ? value : 0;
            if (a instanceof Double && b instanceof Double) {
                return x < y ? -1 : x > y ? 1 : 0;
            }
            double real = a instanceof Double ? x : y;
            if (Double.isInfinite(real)) {
                return (real > 0) == (a instanceof Double) ? 1 : -1;
            }
            return decimal(a).compareTo(decimal(b));
        }
        if (a instanceof Long x && b instanceof Long y) {
            return Long.compare(x, y);
        }
        return big(a).compareTo(big(b));
    }

    private static BigDecimal decimal(Object number) {
        return number instanceof Double value ? new BigDecimal(value) : new BigDecimal(big(number));
    }

    static boolean isNaN(Object value) {
        return value instanceof Double real && real.isNaN();
    }

    /** The shortest decimal that reads back as the same double, as Python's {@code repr} writes it. */
    static String print(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        } else if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        } else if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        } else if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return (long) value + ".0";
        }
        BigDecimal shortest = shortest(value);
        String digits = shortest.unscaledValue().abs().toString();
        int exponent = digits.length() - shortest.scale() - 1;
        String sign = value < 0 ? "-" : "";
        if (exponent < -4 || exponent >= 16) {
            String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
            return sign + digits.charAt(0) + fraction + "e" + exponent(exponent);
        }
        String plain = shortest.abs().toPlainString();
        return sign + (plain.indexOf('.') < 0 ? plain + ".0" : plain);
    }

    /** At least two digits and a sign, as C prints an exponent. */
    static String exponent(int exponent) {
        return (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        // Double.toString of JDK 17 is at times one or two digits too long (JDK-4511638).
        int digits = new BigDecimal(Double.toString(value)).stripTrailingZeros().precision();
        BigDecimal best = exact.round(new MathContext(17, RoundingMode.HALF_EVEN));
        for (int n = Math.min(17, digits); n >= 1; n--) {
            BigDecimal rounded = exact.round(new MathContext(n, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() != value) {
                break;
            }
            best = rounded;
        }
        return best.stripTrailingZeros();
    }

    /** Python's {@code round(value, places)} of a float: on the exact value, halves to even. */
    static double round(double value, int places) {
        if (Double.isNaN(value) || Double.isInfinite(value) || places > 323) {
            return value;
        }
        if (places < -308) {
            return Math.copySign(0.0, value);
        }
        double rounded =
                new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).doubleValue();
        if (Double.isInfinite(rounded)) {
            throw Failure.of("OverflowError: rounded value too large to represent");
        }
        return rounded == 0 ? Math.copySign(0.0, value) : rounded;
    }
}
