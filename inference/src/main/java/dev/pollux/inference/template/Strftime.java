package dev.pollux.inference.template;

import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/**
 * Dates as Python's {@code datetime.now().strftime} writes them under Linux in English: the directives of C99 with glibc's
 * flags {@code - _ 0 ^ #}. The time Python has there names no zone, so {@code %z} and {@code %Z} are empty.
 * <em>Not thread-safe: one thread at a time.</em>
 */
final class Strftime {

    private final ZonedDateTime time;
    private final Budget budget;

    Strftime(ZonedDateTime time, Budget budget) {
        this.time = time;
        this.budget = budget;
    }

    String format(String pattern) {
        TextBuilder out = new TextBuilder(budget);
        for (int i = 0; i < pattern.length(); i++) {
            if (pattern.charAt(i) != '%') {
                out.append(pattern.charAt(i));
                continue;
            }
            int from = i++;
            char flag = 0;
            while (i < pattern.length() && "-_0^#".indexOf(pattern.charAt(i)) >= 0) {
                flag = pattern.charAt(i++);
            }
            int width = 0;
            while (i < pattern.length() && Character.digit(pattern.charAt(i), 10) >= 0) {
                width = FormatSpec.size(width * 10L + Character.digit(pattern.charAt(i++), 10));
            }
            String text = i < pattern.length() ? directive(pattern.charAt(i), flag) : pattern.substring(from);
            boolean digits = !text.isEmpty() && Character.isDigit(text.charAt(text.length() - 1)) && flag != '_';
            out.repeat(digits ? "0" : " ", width - (long) text.length());
            out.append(flag == '^' ? text.toUpperCase(Locale.ROOT) : text);
        }
        return out.toString();
    }

    private String directive(char directive, char flag) {
        return switch (directive) {
            case 'd' -> number(time.getDayOfMonth(), 2, '0', flag);
            case 'e' -> number(time.getDayOfMonth(), 2, ' ', flag);
            case 'm' -> number(time.getMonthValue(), 2, '0', flag);
            case 'Y' -> String.valueOf(time.getYear());
            case 'y' -> number(time.getYear() % 100, 2, '0', flag);
            case 'C' -> number(time.getYear() / 100, 2, '0', flag);
            case 'H' -> number(time.getHour(), 2, '0', flag);
            case 'k' -> number(time.getHour(), 2, ' ', flag);
            case 'I' -> number(time.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, '0', flag);
            case 'l' -> number(time.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, ' ', flag);
            case 'M' -> number(time.getMinute(), 2, '0', flag);
            case 'S' -> number(time.getSecond(), 2, '0', flag);
            case 'f' -> number(time.getNano() / 1000, 6, '0', flag);
            case 'j' -> number(time.getDayOfYear(), 3, '0', flag);
            case 'U' -> number((time.getDayOfYear() + 6 - sunday()) / 7, 2, '0', flag);
            case 'W' -> number((time.getDayOfYear() + 6 - (sunday() + 6) % 7) / 7, 2, '0', flag);
            case 'V' -> number(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2, '0', flag);
            case 'G' -> String.valueOf(time.get(IsoFields.WEEK_BASED_YEAR));
            case 'g' -> number(time.get(IsoFields.WEEK_BASED_YEAR) % 100, 2, '0', flag);
            case 'u' -> String.valueOf(time.getDayOfWeek().getValue());
            case 'w' -> String.valueOf(sunday());
            case 's' -> String.valueOf(time.toEpochSecond());
            default -> words(directive, flag);
        };
    }

    /** The day of the week, Sunday being 0. */
    private int sunday() {
        return time.getDayOfWeek().getValue() % 7;
    }

    private String words(char directive, char flag) {
        return switch (directive) {
            case 'a' -> swapped(time.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH), flag);
            case 'A' -> swapped(time.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag);
            case 'b', 'h' -> swapped(month(), flag);
            case 'B' -> swapped(time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH), flag);
            case 'p' -> flag == '#' ? half().toLowerCase(Locale.ROOT) : half();
            case 'P' -> half().toLowerCase(Locale.ROOT);
            case 'c' -> format("%a %b %e %H:%M:%S %Y");
            case 'D', 'x' -> format("%m/%d/%y");
            case 'F' -> format("%Y-%m-%d");
            case 'T', 'X' -> format("%H:%M:%S");
            case 'R' -> format("%H:%M");
            case 'r' -> format("%I:%M:%S %p");
            case 'n' -> "\n";
            case 't' -> "\t";
            case '%' -> "%";
            case 'z', 'Z' -> "";
            default -> "%" + directive;
        };
    }

    /** Three letters; Java writes Sept. */
    private String month() {
        return time.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
    }

    private String half() {
        return time.getHour() < 12 ? "AM" : "PM";
    }

    private static String swapped(String name, char flag) {
        return flag == '#' ? name.toUpperCase(Locale.ROOT) : name;
    }

    private static String number(int value, int width, char padding, char flag) {
        char pad = flag == '_' ? ' ' : flag == '0' ? '0' : padding;
        String digits = String.valueOf(value);
        return flag == '-' ? digits : String.valueOf(pad).repeat(Math.max(0, width - digits.length())) + digits;
    }
}
