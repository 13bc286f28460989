package dev.pollux.internal.text;

import dev.pollux.internal.text.Reading.Range;
import java.util.ArrayList;
import java.util.List;

/** Finds data encoded as text: images as {@code data:} URIs, long runs of base64 or of hexadecimal digits. */
final class Data {

    /** From this many characters on a run of letters and digits is data. */
    private static final int LEAST = 256;

    private static final int LEAST_URI = 64;

    /** A line of base64 in mail and in keys has 64 or 76 characters. */
    private static final int LEAST_LINE = 60;

    /** One in so many characters is a digit, and one a letter; of random base64 it is one in six. */
    private static final int RAREST = 32;

    private static final int LONGEST_ALT = 400;

    private Data() {}

    /** The data in {@code text}, in order; a picture with its mark-up. */
    static List<Range> in(String text) {
        List<Range> found = new ArrayList<>();
        int i = 0;
        while (i < text.length()) {
            int end = text.regionMatches(true, i, "data:", 0, 5) ? uriEnd(text, i) : i;
            if (end - i >= LEAST_URI) {
                Range picture = picture(
                        text,
                        i,
                        end,
                        found.isEmpty() ? 0 : found.get(found.size() - 1).end());
                found.add(picture);
                i = picture.end();
                continue;
            }
            end = runEnd(text, i);
            if (isData(text, i, end)) {
                found.add(new Range(i, end));
            }
            i = Math.max(i + 1, end);
        }
        return found;
    }

    /** One past a data URI: media type, comma, and what is neither space nor a closing mark. */
    private static int uriEnd(String text, int start) {
        int i = start + 5;
        while (i < text.length() && ",; \t\r\n)>\"'".indexOf(text.charAt(i)) < 0 && i - start < 100) {
            i++;
        }
        while (i < text.length() && text.charAt(i) == ';') {
            i++;
            while (i < text.length() && (isLetter(text.charAt(i)) || ".%".indexOf(text.charAt(i)) >= 0)) {
                i++;
            }
        }
        if (i >= text.length() || text.charAt(i) != ',') {
            return start;
        }
        while (i < text.length() && !Character.isWhitespace(text.charAt(i)) && ")>\"'".indexOf(text.charAt(i)) < 0) {
            i++;
        }
        return i;
    }

    /** The data with the mark-up around it: {@code ![alt](…)}, {@code <img src="…">}, {@code [label]: <…>}. */
    private static Range picture(String text, int start, int end, int floor) {
        int from = start;
        int to = end;
        int before = start;
        while (before > floor && "<\"'( ".indexOf(text.charAt(before - 1)) >= 0) {
            before--;
        }
        if (before > floor && text.charAt(before - 1) == ']') {
            int open = back(text, '[', before - 1, floor);
            int close = on(text, ')', end);
            from = open < 0 ? from : open > floor && text.charAt(open - 1) == '!' ? open - 1 : open;
            to = open >= 0 && close >= 0 ? close + 1 : end;
        } else if (before > floor && text.charAt(before - 1) == '=') {
            int open = back(text, '<', before - 1, floor);
            int close = on(text, '>', end);
            from = open >= 0 && close >= 0 ? open : start;
            to = open >= 0 && close >= 0 ? close + 1 : end;
        }
        return new Range(from, to);
    }

    /** The nearest {@code mark} before a place, on its line; -1 if none is near. */
    private static int back(String text, char mark, int before, int floor) {
        for (int i = before; i >= Math.max(floor, before - LONGEST_ALT) && text.charAt(i) != '\n'; i--) {
            if (text.charAt(i) == mark) {
                return i;
            }
        }
        return -1;
    }

    /** The nearest {@code mark} from a place on, on its line; -1 if none is near. */
    private static int on(String text, char mark, int from) {
        int limit = Math.min(text.length(), from + LONGEST_ALT);
        for (int i = from; i < limit && text.charAt(i) != '\n'; i++) {
            if (text.charAt(i) == mark) {
                return i;
            }
        }
        return -1;
    }

    /** One past the letters, digits and signs of base64 from {@code start} on, over line ends after long lines. */
    private static int runEnd(String text, int start) {
        int lineStart = start;
        int i = start;
        while (i < text.length()) {
            if (isLetter(text.charAt(i))) {
                i++;
                continue;
            }
            int next = i;
            while (next < text.length() && next - i < 3 && "\r\n".indexOf(text.charAt(next)) >= 0) {
                next++;
            }
            boolean goesOn = next > i && next - i <= 2 && i - lineStart >= LEAST_LINE;
            if (!goesOn || next >= text.length() || !isLetter(text.charAt(next))) {
                break;
            }
            i = next;
            lineStart = next;
        }
        return i;
    }

    private static boolean isData(String text, int start, int end) {
        if (end - start < LEAST) {
            return false;
        }
        int digits = 0;
        int letters = 0;
        for (int i = start; i < end; i++) {
            char c = text.charAt(i);
            digits += c >= '0' && c <= '9' ? 1 : 0;
            letters += c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' ? 1 : 0;
        }
        return Math.min(digits, letters) >= (end - start) / RAREST;
    }

    private static boolean isLetter(char c) {
        return c >= 'A' && c <= 'Z'
                || c >= 'a' && c <= 'z'
                || c >= '0' && c <= '9'
                || c == '+'
                || c == '/'
                || c == '='
                || c == '_'
                || c == '-';
    }
}
