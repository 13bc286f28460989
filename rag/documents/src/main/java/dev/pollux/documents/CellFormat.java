package dev.pollux.documents;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The display form of a number in a spreadsheet. Dates are in ISO 8601. */
enum CellFormat {
    GENERAL,
    DATE,
    TIME,
    PERCENT,
    FIXED;

    private static final int LAST_BUILT_IN = 163;
    private static final int MOST_DECIMALS = 15;
    private static final DateTimeFormatter MINUTES = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT);
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
    private static final double SECONDS_A_DAY = 86_400;

    /** A format with its number of decimals. */
    record Decimals(CellFormat format, int decimals) {

        static final Decimals GENERAL = new Decimals(CellFormat.GENERAL, 0);

        /** The displayed text of a number; the number as it is spelled if it is not one. */
        String shown(String number, boolean from1904) {
            try {
                return format.shown(new BigDecimal(number.strip()), decimals, from1904);
            } catch (NumberFormatException | ArithmeticException | DateTimeException e) {
                return number;
            }
        }
    }

    /**
     * The format of a number format.
     *
     * @param id of the format; those up to 163 are built in
     * @param code its code, such as {@code yyyy-mm-dd}; empty of one that is built in
     */
    static Decimals of(int id, String code) {
        if (id <= LAST_BUILT_IN && code.isEmpty()) {
            return builtIn(id);
        }
        String plain = code.split(";")[0]
                .replaceAll("\"[^\"]*\"|\\\\.|_.|\\*.|\\[(?!h|m|s)[^\\]]*\\]", "")
                .toLowerCase(Locale.ROOT);
        if (plain.contains("general") || plain.isBlank() || plain.equals("@")) {
            return Decimals.GENERAL;
        }
        if (plain.matches("(?s).*[yd].*") || plain.matches("(?s)m+")) {
            return new Decimals(DATE, 0);
        }
        if (plain.matches("(?s).*[hs].*")) {
            return new Decimals(TIME, 0);
        }
        int dot = plain.indexOf('.');
        int decimals = dot < 0
                ? 0
                : (int) plain.substring(dot).chars().filter(c -> c == '0').count();
        if (plain.contains("%")) {
            return new Decimals(PERCENT, decimals);
        }
        boolean scientific = plain.contains("e") || plain.contains("/") || plain.contains("#.") || plain.contains("?");
        return scientific ? Decimals.GENERAL : new Decimals(FIXED, decimals);
    }

    private static Decimals builtIn(int id) {
        if (id >= 14 && id <= 17 || id == 22 || id >= 27 && id <= 31 || id >= 34 && id <= 36 || id >= 50 && id <= 58) {
            return new Decimals(DATE, 0);
        }
        if (id >= 18 && id <= 21 || id == 32 || id == 33 || id >= 45 && id <= 47) {
            return new Decimals(TIME, 0);
        }
        return switch (id) {
            case 1, 3, 37, 38 -> new Decimals(FIXED, 0);
            case 2, 4, 39, 40 -> new Decimals(FIXED, 2);
            case 9 -> new Decimals(PERCENT, 0);
            case 10 -> new Decimals(PERCENT, 2);
            default -> Decimals.GENERAL;
        };
    }

    private String shown(BigDecimal number, int decimals, boolean from1904) {
        int digits = Math.min(MOST_DECIMALS, decimals);
        return switch (this) {
            case GENERAL ->
                number.signum() == 0
                        ? "0"
                        : number.setScale(MOST_DECIMALS, RoundingMode.HALF_UP)
                                .stripTrailingZeros()
                                .toPlainString();
            case FIXED -> number.setScale(digits, RoundingMode.HALF_UP).toPlainString();
            case PERCENT ->
                number.movePointRight(2).setScale(digits, RoundingMode.HALF_UP).toPlainString() + "%";
            case DATE -> moment(number, from1904, false);
            case TIME -> moment(number, from1904, true);
        };
    }

    private static String moment(BigDecimal number, boolean from1904, boolean clock) {
        long day = number.setScale(0, RoundingMode.FLOOR).longValueExact();
        long seconds = Math.round(number.subtract(BigDecimal.valueOf(day)).doubleValue() * SECONDS_A_DAY);
        // 1900 counts as a leap year in spreadsheets, so that day 60 does not exist.
        LocalDate first = from1904 ? LocalDate.of(1904, 1, 1) : LocalDate.of(1899, 12, day < 60 ? 31 : 30);
        LocalDateTime moment = first.plusDays(day).atStartOfDay().plusSeconds(seconds);
        if (clock && day == 0) {
            return moment.format(CLOCK);
        }
        return seconds == 0 ? moment.toLocalDate().toString() : moment.format(MINUTES);
    }
}
