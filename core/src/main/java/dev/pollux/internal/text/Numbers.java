package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads digits with the signs between them. <em>Stateless, thread-safe.</em> */
final class Numbers {

    /*
     *   1,000   1.000.000   1'000   1 000   signs between groups of three digits go
     *   1.000,5   1,000.5                   the last of two kinds of sign is the decimal one
     *   1.000                               grouped where decimals follow a comma, else a decimal point
     *   3,5                                 a decimal where decimals follow a comma, else two numbers
     *   1.7.2026   1.2.3                    dates and versions keep their points
     * What follows the digits stays: 3rd, 5kg, 7B.
     */

    private static final Map<Character, String> FRACTIONS = Map.of('½', ".5", '¼', ".25", '¾', ".75");

    private Numbers() {}

    /**
     * Where the numbers in a run that begins with a digit end, each offset relative to the run; the last is its length. A
     * comma between two ends is no part of either.
     */
    static List<Integer> ends(String run, boolean decimalComma) {
        List<Integer> ends = new ArrayList<>();
        int digits = digitsEnd(run);
        if (run.lastIndexOf(',', digits - 1) > 0 && isList(run.substring(0, digits), decimalComma)) {
            for (int i = run.indexOf(','); i >= 0 && i < digits; i = run.indexOf(',', i + 1)) {
                ends.add(i);
            }
        }
        ends.add(run.length());
        return ends;
    }

    /** The number with one spelling, and what follows it in lower case. */
    static String form(String run, boolean decimalComma) {
        int digits = digitsEnd(run);
        String rest = run.substring(digits);
        String fraction = rest.isEmpty() ? "" : FRACTIONS.getOrDefault(rest.charAt(0), "");
        String number = ascii(canonical(run.substring(0, digits), decimalComma));
        return number + fraction + Folding.form(fraction.isEmpty() ? rest : rest.substring(1));
    }

    /** Where the digits and the signs between them end. */
    static int digitsEnd(String run) {
        int i = 0;
        while (i < run.length()) {
            int c = run.codePointAt(i);
            if (!Character.isDigit(c) && (Character.isLetter(c) || Character.getType(c) == Character.OTHER_NUMBER)) {
                return i;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    private static String canonical(String digits, boolean decimalComma) {
        int comma = digits.indexOf(',');
        int point = digits.indexOf('.');
        if (comma >= 0 && (point > comma || point < 0) && areGroups(digits, ',')) {
            return digits.replace(",", "");
        }
        if (comma >= 0) {
            return digits.replace(".", "").replace(',', '.');
        }
        boolean several = point >= 0 && digits.indexOf('.', point + 1) > 0;
        boolean grouped = point > 0 && areGroups(digits, '.') && digits.charAt(0) != '0' && (several || decimalComma);
        return grouped ? digits.replace(".", "") : digits;
    }

    private static boolean isList(String digits, boolean decimalComma) {
        int comma = digits.indexOf(',');
        int point = digits.indexOf('.');
        if ((point > comma || point < 0) && areGroups(digits, ',')) {
            return false;
        }
        boolean one = digits.indexOf(',', comma + 1) < 0;
        return !(one && (point < 0 ? decimalComma : point < comma && areGroups(digits.substring(0, comma), '.')));
    }

    /** Whether one to three digits come first and exactly three after every {@code sign}, up to another sign. */
    private static boolean areGroups(String digits, char sign) {
        char other = sign == ',' ? '.' : ',';
        int end = digits.indexOf(other) < 0 ? digits.length() : digits.indexOf(other);
        int from = 0;
        for (int i = digits.indexOf(sign); ; i = digits.indexOf(sign, from)) {
            int to = i < 0 || i > end ? end : i;
            int count = digits.codePointCount(from, to);
            if (from == 0 ? count < 1 || count > 3 : count != 3) {
                return false;
            }
            if (to == end) {
                return from > 0;
            }
            from = i + 1;
        }
    }

    private static String ascii(String digits) {
        StringBuilder ascii = new StringBuilder(digits.length());
        digits.codePoints().forEach(c -> {
            if (Character.isDigit(c)) {
                ascii.append(Character.digit(c, 10));
            } else if (c == '.') {
                ascii.append('.');
            }
        });
        return ascii.toString();
    }
}
