package dev.pollux.twin;

import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Words;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Recognises names and numbers in a question and their spellings in documents. <em>Stateless, thread-safe.</em> */
final class Naming {

    /** A year. Other numbers may be amounts from the questioner, such as one to compare with a limit. */
    private static final Pattern YEAR = Pattern.compile("1[5-9]\\d\\d|20\\d\\d");

    /** Minimum length of a word in capitals that may be an acronym. */
    private static final int SHORTEST_ACRONYM = 2;

    private Naming() {}

    /**
     * Whether a word of a question is a name or a number. It is one if it
     * <ul>
     *   <li>is a year,
     *   <li>is a number with letters (A380, 7B),
     *   <li>has a capital after its first letter, in a question with lower-case letters, or
     *   <li>is capitalised within a clause.
     * </ul>
     * The last criterion does not apply in German, which capitalises all nouns, nor in a question without a lower-case
     * function word.
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

    /** Whether a capital indicates a name: the question has a lower-case function word and is not German. */
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
     * Whether consecutive words spell {@code word}: two of them written together, or an acronym of their first letters.
     *
     * @param joined the word written together with each of its neighbours in the question
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
