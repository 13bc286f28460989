package dev.pollux.samples.cli;

import java.util.List;

/** The words of a question as a shell hands them over. */
final class Question {

    private static final List<String> QUOTES = List.of("''", "\"\"", "‘’", "“”", "„“", "«»", "‹›", "``");

    private Question() {}

    /** One text, without the quotation marks around it that a shell does not know. */
    static String of(List<String> words) {
        String text = String.join(" ", words).strip();
        for (String pair : QUOTES) {
            boolean around = text.length() > 1
                    && text.charAt(0) == pair.charAt(0)
                    && text.charAt(text.length() - 1) == pair.charAt(1);
            String inner = around ? text.substring(1, text.length() - 1) : text;
            if (around && inner.indexOf(pair.charAt(0)) < 0 && inner.indexOf(pair.charAt(1)) < 0) {
                return inner.strip();
            }
        }
        return text;
    }
}
