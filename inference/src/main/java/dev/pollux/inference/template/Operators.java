package dev.pollux.inference.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's arithmetic, on numbers and on sequences. <em>Not thread-safe: one thread at a time.</em> */
final class Operators {

    private final Budget budget;
    private final Printer printer;

    Operators(Budget budget, Printer printer) {
        this.budget = budget;
        this.printer = printer;
    }

    Object binary(String operator, Object a, Object b) {
        if (Types.isNumber(a) && Types.isNumber(b)) {
            return a instanceof Double || b instanceof Double
                    ? (Object) real(operator, Numbers.doubleValue(a), Numbers.doubleValue(b))
                    : integer(operator, a, b);
        } else if (operator.equals("%") && Types.isString(a)) {
            String text = new PrintfFormat(Types.text(a), budget, printer).format(b, a instanceof Markup);
            return a instanceof Markup ? new Markup(text) : text;
        } else if (a instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (b instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (operator.equals("+") && !Types.isNumber(a) && !Types.isNumber(b)) {
            return concatenate(a, b);
        } else if (operator.equals("*") && Types.isInteger(b)) {
            return repeat(a, Numbers.clamp(b));
        } else if (operator.equals("*") && Types.isInteger(a)) {
            return repeat(b, Numbers.clamp(a));
        }
        throw unsupported(operator, a, b);
    }

    private static Failure unsupported(String operator, Object a, Object b) {
        String name = operator.equals("**") ? "** or pow()" : operator;
        return Failure.of("TypeError: unsupported operand type(s) for " + name + ": '" + Types.name(a) + "' and '"
                + Types.name(b) + "'");
    }

    private Object concatenate(Object a, Object b) {
        if (a instanceof String x && b instanceof String y) {
            return new TextBuilder(budget).append(x).append(y).toString();
        } else if (Types.isString(a) && Types.isString(b)) {
            return new Markup(
                    new TextBuilder(budget).append(html(a)).append(html(b)).toString());
        } else if (a instanceof List && b instanceof List || a instanceof Tuple && b instanceof Tuple) {
            List<Object> x = Types.items(a);
            List<Object> y = Types.items(b);
            budget.allocate((long) x.size() + y.size());
            List<Object> items = new ArrayList<>(x.size() + y.size());
            items.addAll(x);
            items.addAll(y);
            return a instanceof Tuple ? Tuple.of(items) : items;
        }
        throw unsupported("+", a, b);
    }

    private String html(Object value) {
        String text = Types.text(value);
        return value instanceof Markup ? text : budget.origins().changed(text, Markup.escape(text));
    }

    private Object repeat(Object value, int count) {
        int times = Math.max(0, count);
        if (Types.isString(value)) {
            String text = Types.text(value);
            String repeated = new TextBuilder(budget).repeat(text, times).toString();
            return value instanceof Markup ? new Markup(repeated) : repeated;
        } else if (Types.isListOrTuple(value)) {
            List<Object> items = Types.items(value);
            budget.allocate((long) items.size() * times);
            List<Object> repeated = new ArrayList<>(items.size() * times);
            for (int i = 0; i < times && !items.isEmpty(); i++) {
                repeated.addAll(items);
            }
            return value instanceof Tuple ? Tuple.of(repeated) : repeated;
        }
        throw unsupported("*", value, (long) count);
    }

    Object negate(Object value) {
        if (value instanceof Double real) {
            return -real;
        }
        return Numbers.integer(Numbers.big(number("-", value)).negate());
    }

    Object plus(Object value) {
        return value instanceof Boolean ? (Object) Numbers.longValue(value) : number("+", value);
    }

    private static Object number(String operator, Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        } else if (!Types.isNumber(value)) {
            throw Failure.of("TypeError: bad operand type for unary " + operator + ": '" + Types.name(value) + "'");
        }
        return value;
    }

    private Object integer(String operator, Object a, Object b) {
        if (operator.equals("/")) {
            return divide(a, b);
        } else if (operator.equals("**")) {
            return power(a, b);
        } else if (!(a instanceof BigInteger) && !(b instanceof BigInteger)) {
            long m = Numbers.longValue(a);
            long n = Numbers.longValue(b);
            if (n != 0 && m == (int) m && n == (int) n) {
                return switch (operator) {
                    case "+" -> m + n;
                    case "-" -> m - n;
                    case "*" -> m * n;
                    case "//" -> Math.floorDiv(m, n);
                    default -> Math.floorMod(m, n);
                };
            }
        }
        BigInteger x = Numbers.big(a);
        BigInteger y = Numbers.big(b);
        budget.scan((long) x.bitLength() * y.bitLength() >> 6);
        return big(operator, x, y);
    }

    private static Object big(String operator, BigInteger a, BigInteger b) {
        if (operator.equals("//") || operator.equals("%")) {
            if (b.signum() == 0) {
                throw Failure.of("ZeroDivisionError: integer division or modulo by zero");
            }
            BigInteger[] parts = a.divideAndRemainder(b);
            boolean down = parts[1].signum() != 0 && parts[1].signum() != b.signum();
            return Numbers.integer(
                    operator.equals("%")
                            ? (down ? parts[1].add(b) : parts[1])
                            : down ? parts[0].subtract(BigInteger.ONE) : parts[0]);
        }
        return Numbers.integer(
                switch (operator) {
                    case "+" -> a.add(b);
                    case "-" -> a.subtract(b);
                    default -> a.multiply(b);
                });
    }

    private static Object divide(Object a, Object b) {
        BigInteger x = Numbers.big(a);
        BigInteger y = Numbers.big(b);
        if (y.signum() == 0) {
            throw Failure.of("ZeroDivisionError: division by zero");
        } else if (x.bitLength() <= 53 && y.bitLength() <= 53) {
            return x.doubleValue() / y.doubleValue();
        }
        double quotient = new BigDecimal(x)
                .divide(new BigDecimal(y), MathContext.DECIMAL128)
                .doubleValue();
        if (Double.isInfinite(quotient)) {
            throw Failure.of("OverflowError: integer division result too large for a float");
        }
        return quotient;
    }

    private static Object power(Object a, Object b) {
        BigInteger base = Numbers.big(a);
        BigInteger exponent = Numbers.big(b);
        if (exponent.signum() < 0) {
            return real("**", Numbers.doubleValue(a), Numbers.doubleValue(b));
        } else if (exponent.signum() == 0) {
            return 1L;
        } else if (base.abs().bitLength() <= 1) {
            return base.signum() < 0 && !exponent.testBit(0) ? (Object) 1L : Numbers.integer(base);
        }
        Numbers.checkBits((base.bitLength() - 1.0) * exponent.doubleValue());
        return Numbers.integer(base.pow(exponent.intValueExact()));
    }

    private static Double real(String operator, double a, double b) {
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / nonZero(b, "float division by zero");
            case "//" -> floor(a, nonZero(b, "float floor division by zero"));
            case "%" -> modulo(a, nonZero(b, "float modulo by zero"));
            default -> realPower(a, b);
        };
    }

    private static double nonZero(double divisor, String otherwise) {
        if (divisor == 0) {
            throw Failure.of("ZeroDivisionError: " + otherwise);
        }
        return divisor;
    }

    /** The remainder with the divisor's sign. */
    private static double modulo(double a, double b) {
        double remainder = a % b;
        if (remainder == 0) {
            return Math.copySign(0.0, b);
        }
        return remainder < 0 != b < 0 ? remainder + b : remainder;
    }

    private static double floor(double a, double b) {
        double quotient = (a - modulo(a, b)) / b;
        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    private static double realPower(double a, double b) {
        if (a == 0 && b < 0) {
            throw Failure.of("ZeroDivisionError: 0.0 cannot be raised to a negative power");
        } else if (a < 0 && b != Math.rint(b) && !Double.isInfinite(a)) {
            throw Failure.of("a negative number raised to a fraction is complex, which templates do not have");
        }
        double power = a == 1 ? 1 : Math.pow(a, b);
        if (Double.isInfinite(power) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
            throw Failure.of("OverflowError: numerical result out of range");
        }
        return power;
    }

    /** Python's {@code value[start:stop:step]}; {@link None} stands for what is left out. */
    Object slice(Object value, Object start, Object stop, Object step) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        boolean string = Types.isString(value);
        if (!string && !Types.isListOrTuple(value) && !(value instanceof Range)) {
            throw Failure.of("TypeError: '" + Types.name(value) + "' object cannot be sliced");
        }
        int stride = step == None.NONE ? 1 : Numbers.index(step, "slice step");
        if (stride == 0) {
            throw Failure.of("ValueError: slice step cannot be zero");
        }
        String text = string ? Types.text(value) : "";
        budget.scan(text.length());
        int size = string
                ? CodePoints.length(text)
                : value instanceof Range range
                        ? range.size()
                        : Types.items(value).size();
        int from = bound(start, stride > 0 ? 0 : size - 1, size, stride);
        int to = bound(stop, stride > 0 ? size : -1, size, stride);
        if (string) {
            String part = stride == 1 ? part(text, from, Math.max(from, to)) : pick(text, from, to, stride);
            budget.allocate(part.length());
            return value instanceof Markup ? new Markup(part) : part;
        } else if (value instanceof Range range) {
            return new Range(
                    range.start() + from * range.step(), range.start() + to * range.step(), range.step() * stride);
        }
        List<Object> part = pick(Types.items(value), from, to, stride);
        return value instanceof Tuple ? Tuple.of(part) : part;
    }

    private static int bound(Object given, int absent, int size, int stride) {
        if (given == None.NONE) {
            return absent;
        }
        long index = Numbers.index(given, "slice index");
        long low = stride > 0 ? 0 : -1;
        long high = stride > 0 ? size : size - 1;
        return (int) Math.max(low, Math.min(high, index < 0 ? index + size : index));
    }

    private List<Object> pick(List<Object> items, int from, int to, int stride) {
        if (stride == 1) {
            List<Object> part = items.subList(from, Math.max(from, to));
            budget.allocate(part.size());
            return new ArrayList<>(part);
        }
        List<Object> part = new ArrayList<>();
        for (long i = from; stride > 0 ? i < to : i > to; i += stride) {
            budget.allocate(1);
            part.add(items.get((int) i));
        }
        return part;
    }

    private String pick(String text, int from, int to, int stride) {
        int[] points = text.codePoints().toArray();
        budget.allocate(points.length);
        StringBuilder part = new StringBuilder();
        for (long i = from; stride > 0 ? i < to : i > to; i += stride) {
            part.appendCodePoint(points[(int) i]);
        }
        return budget.origins().changed(text, part.toString());
    }

    /** Code points {@code from} to {@code to}. */
    private String part(String text, int from, int to) {
        int begin = CodePoints.offset(text, from);
        return budget.origins().part(text, begin, text.offsetByCodePoints(begin, to - from));
    }

    /** A copy of {@code items}, the last first. */
    List<Object> reversed(List<Object> items) {
        budget.allocate(items.size());
        List<Object> reversed = new ArrayList<>(items);
        Collections.reverse(reversed);
        return reversed;
    }
}
