package dev.pollux.twin;

import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Names and numbers of a question, and the ways in which documents spell them. <em>Stateless, thread-safe.</em> */
final class Naming {

    /** Other numbers may be amounts that a question brings along, such as one to compare with a limit. */
    private static final Pattern YEAR = Pattern.compile("1[5-9]\\d\\d|20\\d\\d");

    /** Shorter words in capitals are not looked for as first letters. */
    private static final int SHORTEST_ACRONYM = 2;

    private Naming() {}

    /**
     * Whether a word of a question is a year, is a number with letters (A380, 7B), is written in capitals or with one inside, or is capitalised where no clause
     * begins. In German every noun is: there, and where all words are capitalised, the first letter tells nothing.
     */
    static boolean isNamed(String question, Words.Word word) {
        String text = word.text();
        if (word.isNumber()) {
            String number = word.stem();
            boolean year = YEAR.matcher(text).matches();
            return year || number.chars().anyMatch(Character::isLetter);
        }
        boolean inside = text.codePoints().skip(1).anyMatch(Character::isUpperCase);
        if (inside) {
            return question.codePoints().anyMatch(Character::isLowerCase);
        }
        int first = text.codePointAt(0);
        return Character.isUpperCase(first) && isLowerQuestion(question) && !opens(question, word.start());
    }

    /** Whether small words outnumber capitalised ones, as they do where a capital means a name. */
    private static boolean isLowerQuestion(String question) {
        if (Languages.of(question).code().equals("de")) {
            return false;
        }
        List<Words.Word> words = Words.of(question);
        return words.stream()
                .filter(word -> !word.content())
                .anyMatch(word -> Character.isLowerCase(word.text().codePointAt(0)));
    }

    private static boolean opens(String question, int start) {
        for (int i = start - 1; i >= 0; i--) {
            char c = question.charAt(i);
            if (":.!?¿¡\"“„«(*\n".indexOf(c) >= 0) {
                return true;
            }
            if (Character.isLetterOrDigit(c)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether words in a row spell a word: two of them written as one, or words whose first letters it is.
     *
     * @param joined the word written as one with each of its neighbours in the question
     */
    static boolean spells(List<Words.Word> words, Words.Word word, Set<String> joined) {
        StringBuilder initials = new StringBuilder();
        String form = word.form();
        for (int i = 0; i < words.size(); i++) {
            Words.Word held = words.get(i);
            boolean two = i + 1 < words.size()
                    && form.equals(held.form() + words.get(i + 1).form());
            if (two || joined.contains(held.form())) {
                return true;
            }
            if (held.content() || held.text().length() > 3) {
                initials.appendCodePoint(held.form().codePointAt(0));
            }
        }
        boolean acronym =
                form.length() >= SHORTEST_ACRONYM && word.text().codePoints().noneMatch(Character::isLowerCase);
        return acronym && initials.indexOf(form) >= 0;
    }
}
