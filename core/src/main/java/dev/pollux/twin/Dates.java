package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parses dates in running text: {@code 1 July 2026}, {@code July 1st, 2026}, {@code 2026-07-01}, {@code 01.07.2026},
 * {@code July 2026}, {@code 1 July}. <em>Stateless, thread-safe.</em>
 *
 * <p>The key of a date is {@code year-month-day} with {@code ?} for a missing part. A year alone is a number.
 */
final class Dates {

    /** A date with its key and its length in words. */
    record Found(String key, int words) {}

    private static final Map<String, Integer> MONTHS = Map.ofEntries(
            Map.entry("january", 1),
            Map.entry("february", 2),
            Map.entry("march", 3),
            Map.entry("april", 4),
            Map.entry("may", 5),
            Map.entry("june", 6),
            Map.entry("july", 7),
            Map.entry("august", 8),
            Map.entry("september", 9),
            Map.entry("october", 10),
            Map.entry("november", 11),
            Map.entry("december", 12),
            Map.entry("jan", 1),
            Map.entry("feb", 2),
            Map.entry("mar", 3),
            Map.entry("apr", 4),
            Map.entry("jun", 6),
            Map.entry("jul", 7),
            Map.entry("aug", 8),
            Map.entry("sep", 9),
            Map.entry("sept", 9),
            Map.entry("oct", 10),
            Map.entry("nov", 11),
            Map.entry("dec", 12));

    private static final Pattern DAY = Pattern.compile("(\\d{1,2})(?:st|nd|rd|th)?");
    private static final Pattern YEAR = Pattern.compile("[12]\\d{3}");
    private static final Pattern POINTS = Pattern.compile("(\\d{1,2})\\.(\\d{1,2})\\.([12]\\d{3})");

    private Dates() {}

    /** The date that starts at word {@code i}. */
    static Optional<Found> at(List<Words.Word> words, int i, String text) {
        Matcher points = POINTS.matcher(word(words, i));
        if (points.matches()) {
            return Optional.of(new Found(key(points.group(3), points.group(2), points.group(1)), 1));
        }
        if (isYear(words, i) && isTwoDigits(words, i + 1) && isTwoDigits(words, i + 2) && joined(words, i, text)) {
            return Optional.of(new Found(key(word(words, i), word(words, i + 1), word(words, i + 2)), 3));
        }
        int month = month(words, i);
        if (month > 0) {
            return monthFirst(words, i, month);
        }
        Optional<String> day = day(words, i);
        int at = word(words, i + 1).equals("of") ? i + 2 : i + 1;
        int next = month(words, at);
        if (day.isEmpty() || next == 0) {
            return Optional.empty();
        }
        boolean year = isYear(words, at + 1);
        return Optional.of(new Found(
                key(year ? word(words, at + 1) : "?", Integer.toString(next), day.get()), at - i + (year ? 2 : 1)));
    }

    private static Optional<Found> monthFirst(List<Words.Word> words, int i, int month) {
        String name = Integer.toString(month);
        if (isYear(words, i + 1)) {
            return Optional.of(new Found(key(word(words, i + 1), name, "?"), 2));
        }
        Optional<String> day = day(words, i + 1);
        boolean year = day.isPresent() && isYear(words, i + 2);
        boolean verb = day.isEmpty() && (month == 5 || month == 3); // may, march
        return verb
                ? Optional.empty()
                : Optional.of(new Found(
                        key(year ? word(words, i + 2) : "?", name, day.orElse("?")),
                        1 + (day.isPresent() ? 1 : 0) + (year ? 1 : 0)));
    }

    /** Whether a date implies {@code other}, which may be less precise. */
    static boolean covers(String date, String other) {
        String[] held = date.split("-");
        String[] said = other.split("-");
        for (int i = 0; i < 3; i++) {
            if (!said[i].equals("?") && !said[i].equals(held[i])) {
                return false;
            }
        }
        return true;
    }

    /**
     * Compares a date with a day: negative if the whole of {@code date} is before {@code day}, positive if all of it is on
     * that day or later, 0 if undecidable.
     */
    static int compare(String date, String day) {
        String[] a = date.split("-");
        String[] b = day.split("-");
        for (int i = 0; i < 3; i++) {
            if (a[i].equals("?") || b[i].equals("?")) {
                return 0;
            }
            int order = Integer.compare(Integer.parseInt(a[i]), Integer.parseInt(b[i]));
            if (order != 0) {
                return order;
            }
        }
        return 1;
    }

    private static String key(String year, String month, String day) {
        return year + "-" + plain(month) + "-" + plain(day);
    }

    private static String plain(String number) {
        return number.startsWith("0") ? number.substring(1) : number;
    }

    /** The number of a month's name. A capital distinguishes it from other words, unless the text has no capitals. */
    private static int month(List<Words.Word> words, int i) {
        if (i >= words.size()) {
            return 0;
        }
        String text = words.get(i).text();
        return Character.isUpperCase(text.charAt(0)) ? MONTHS.getOrDefault(text.toLowerCase(Locale.ROOT), 0) : 0;
    }

    private static Optional<String> day(List<Words.Word> words, int i) {
        Matcher day = DAY.matcher(word(words, i).toLowerCase(Locale.ROOT));
        return day.matches() && Integer.parseInt(day.group(1)) <= 31 ? Optional.of(day.group(1)) : Optional.empty();
    }

    private static boolean isYear(List<Words.Word> words, int i) {
        return YEAR.matcher(word(words, i)).matches();
    }

    private static boolean isTwoDigits(List<Words.Word> words, int i) {
        String word = word(words, i);
        return word.length() == 2 && word.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean joined(List<Words.Word> words, int i, String text) {
        return words.get(i + 1).start() == words.get(i).end() + 1
                && words.get(i + 2).start() == words.get(i + 1).end() + 1
                && "-/".indexOf(text.charAt(words.get(i).end())) >= 0;
    }

    private static String word(List<Words.Word> words, int i) {
        return i < words.size() ? words.get(i).text() : "";
    }
}
