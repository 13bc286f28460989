package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** The methods of Python's str that take it apart. */
final class Splitting {

    private Splitting() {}

    static void addTo(Map<String, StringMethods.Method> all) {
        all.put("split", (in, self, args) -> split(in, self, args.bind("split", "sep", "maxsplit"), false));
        all.put("rsplit", (in, self, args) -> split(in, self, args.bind("rsplit", "sep", "maxsplit"), true));
        all.put("splitlines", (in, self, args) -> {
            List<Object> lines = lines(
                    in.origins(), self, args.bind("splitlines", "keepends").truth(0, false));
            in.budget().allocate(lines.size() + self.length());
            return lines;
        });
        all.put(
                "partition",
                (in, self, args) -> partition(
                        in.origins(), self, args.bind("partition", "sep").text(0), false));
        all.put(
                "rpartition",
                (in, self, args) -> partition(
                        in.origins(), self, args.bind("rpartition", "sep").text(0), true));
    }

    private static Object split(Interpreter in, String text, Arguments.Bound given, boolean fromEnd) {
        int most = given.integer(1, -1);
        int limit = most < 0 ? Integer.MAX_VALUE : most;
        List<Object> parts;
        if (!given.hasValue(0)) {
            parts = fromEnd ? wordsFromEnd(in.origins(), text, limit) : words(in.origins(), text, limit);
        } else if (given.text(0).isEmpty()) {
            throw Failure.of("ValueError: empty separator");
        } else {
            parts = fromEnd
                    ? rsplit(in.origins(), text, given.text(0), limit)
                    : split(in.origins(), text, given.text(0), limit);
        }
        in.budget().allocate(parts.size() + text.length());
        return parts;
    }

    private static List<Object> split(Origins origins, String text, String separator, int limit) {
        List<Object> parts = new ArrayList<>();
        int from = 0;
        int at = CodePoints.indexOf(text, separator, 0);
        while (at >= 0 && parts.size() < limit) {
            parts.add(origins.part(text, from, at));
            from = at + separator.length();
            at = CodePoints.indexOf(text, separator, from);
        }
        parts.add(origins.part(text, from, text.length()));
        return parts;
    }

    /** Cut where the reversed separator stands in the reversed text, so that the cost stays linear. */
    private static List<Object> rsplit(Origins origins, String text, String separator, int limit) {
        List<Object> parts = new ArrayList<>();
        String backwards = reversed(text);
        String wanted = reversed(separator);
        int from = 0;
        int at = CodePoints.indexOf(backwards, wanted, 0);
        while (at >= 0 && parts.size() < limit) {
            parts.add(origins.part(text, text.length() - at, text.length() - from));
            from = at + separator.length();
            at = CodePoints.indexOf(backwards, wanted, from);
        }
        parts.add(origins.part(text, 0, text.length() - from));
        Collections.reverse(parts);
        return parts;
    }

    private static String reversed(String text) {
        return new StringBuilder(text).reverse().toString();
    }

    /** The parts between runs of whitespace; at most {@code limit} cuts, then the rest without its leading space. */
    private static List<Object> words(Origins origins, String text, int limit) {
        List<Object> words = new ArrayList<>();
        int at = 0;
        while (true) {
            while (at < text.length() && CodePoints.isSpace(text.charAt(at))) {
                at++;
            }
            if (at == text.length()) {
                return words;
            }
            int from = at;
            while (words.size() < limit && at < text.length() && !CodePoints.isSpace(text.charAt(at))) {
                at++;
            }
            at = words.size() < limit ? at : text.length();
            words.add(origins.part(text, from, at));
        }
    }

    private static List<Object> wordsFromEnd(Origins origins, String text, int limit) {
        List<Object> words = new ArrayList<>();
        int at = text.length();
        while (true) {
            while (at > 0 && CodePoints.isSpace(text.charAt(at - 1))) {
                at--;
            }
            if (at == 0) {
                Collections.reverse(words);
                return words;
            }
            int to = at;
            while (words.size() < limit && at > 0 && !CodePoints.isSpace(text.charAt(at - 1))) {
                at--;
            }
            at = words.size() < limit ? at : 0;
            words.add(origins.part(text, at, to));
        }
    }

    /** Python's {@code splitlines}: a line end at the end of the text begins no further line. */
    static List<Object> lines(Origins origins, String text, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (CodePoints.isLineEnd(c)) {
                int end = i;
                if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                lines.add(origins.part(text, from, keepEnds ? i + 1 : end));
                from = i + 1;
            }
        }
        if (from < text.length()) {
            lines.add(origins.part(text, from, text.length()));
        }
        return lines;
    }

    private static Object partition(Origins origins, String text, String separator, boolean last) {
        if (separator.isEmpty()) {
            throw Failure.of("ValueError: empty separator");
        }
        int at = last ? CodePoints.lastIndexOf(text, separator, text.length()) : CodePoints.indexOf(text, separator, 0);
        if (at < 0) {
            return last ? Tuple.of("", "", text) : Tuple.of(text, "", "");
        }
        int end = at + separator.length();
        return Tuple.of(origins.part(text, 0, at), origins.part(text, at, end), origins.part(text, end, text.length()));
    }
}
