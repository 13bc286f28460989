package dev.pollux.twin;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Extracts the citation marks of a model's text: {@code [1]}, {@code [1, 3]}, {@code [^1]}, {@code [passage 1]}.
 *
 * @param text the text without marks
 * @param marks the marks in order
 */
record CitationMarkers(String text, List<Mark> marks) {

    /** Maximum length of a mark in characters. */
    static final int LONGEST = 40;

    private static final Pattern MARK = Pattern.compile(
            "[ \\t]?\\[[ ^]?(?:(?:passage|source)s? ?)?(\\d{1,4}(?: ?(?:,|;|and) ?(?:passage |source )?\\d{1,4}){0,8}) ?\\](?!\\()",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern DIGITS = Pattern.compile("\\d+");

    /**
     * A citation mark.
     *
     * @param position its position in the text without marks
     * @param numbers the passages that it cites
     */
    record Mark(int position, List<Integer> numbers) {}

    /** Extracts the marks of {@code written}. */
    static CitationMarkers of(String written) {
        StringBuilder text = new StringBuilder();
        List<Mark> marks = new ArrayList<>();
        Matcher matcher = MARK.matcher(written);
        int from = 0;
        while (matcher.find()) {
            text.append(written, from, matcher.start());
            marks.add(new Mark(text.length(), numbers(matcher.group(1))));
            from = matcher.end();
        }
        return new CitationMarkers(text.append(written, from, written.length()).toString(), marks);
    }

    private static List<Integer> numbers(String text) {
        return DIGITS.matcher(text)
                .results()
                .map(digits -> Integer.valueOf(digits.group()))
                .distinct()
                .toList();
    }
}
