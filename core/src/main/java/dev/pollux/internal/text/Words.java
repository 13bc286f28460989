package dev.pollux.internal.text;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The words of a text, as search, evidence and claims compare them: what the index holds and what a question asks for
 * come from here.
 *
 * <p>A word is a run of letters and digits (see {@link Span}), in scripts without spaces a word of a dictionary or two
 * signs ({@link Segments}); it is compared by its stem in the language of its text, without case, design of the letters
 * and, where that is safe, accents. Function words of the language carry no content, unless they are written as names: a
 * capitalised one that opens no sentence (<em>The Who</em> in the middle of one), or one in capitals (<em>IT</em>).
 * <em>Stateless, thread-safe.</em>
 */
public final class Words {

    /**
     * One word of a text.
     *
     * @param start first character in the text
     * @param end one past the last
     * @param text as it stands
     * @param form its exact form: normalised, in lower case, with accents
     * @param stem what it is compared by; a name that is spelled like a function word keeps its capitals
     * @param role what it does in its sentence
     * @param also further stems that it is found by, and that no question for another word means: parts of a word
     * @param whole the stem of the hyphenated word it is part of, written as one; empty where it is none
     */
    public record Word(
            int start, int end, String text, String form, String stem, Role role, List<String> also, String whole) {

        public Word {
            also = List.copyOf(also);
        }

        /** Whether it carries meaning: no function word, no single small letter. */
        public boolean content() {
            return role == Role.CONTENT;
        }

        public boolean isNumber() {
            return Character.isDigit(stem.charAt(0));
        }

        /** All stems that this is found by. */
        public Set<String> keys() {
            Set<String> keys = asked();
            keys.addAll(also);
            return keys;
        }

        /** The stems that find this word, if a question has it: its own and that of the hyphenated word. */
        public Set<String> asked() {
            Set<String> asked = new LinkedHashSet<>();
            asked.add(stem);
            if (!whole.isEmpty()) {
                asked.add(whole);
            }
            return asked;
        }
    }

    /** What a word does. */
    public enum Role {
        CONTENT,
        FUNCTION,
        /** A function word that denies. */
        NEGATION
    }

    private Words() {}

    /** Every word of {@code text}, in order, in the language that it seems to be in. */
    public static List<Word> of(String text) {
        return of(text, Languages.of(text));
    }

    /** Every word of {@code text}, in order. */
    public static List<Word> of(String text, Language language) {
        return new WordReader(text, language).read();
    }

    /** The stems of the words that carry meaning, in order of first use. */
    public static Set<String> contentStems(String text) {
        return contentStems(text, Languages.of(text));
    }

    /** The same of a text in {@code language}. */
    public static Set<String> contentStems(String text, Language language) {
        return stems(of(text, language));
    }

    /** As {@link #contentStems} without the words that only ask; all where nothing else is there. */
    public static Set<String> questionStems(String question) {
        return stems(asked(question, Languages.of(question)));
    }

    /**
     * The words of a question that say what it is about: its content words but those that only ask. Where nothing is left,
     * the words that ask have to do, then the function words.
     */
    public static List<Word> asked(String question, Language language) {
        List<Word> words = of(question, language);
        List<Word> content = words.stream().filter(Word::content).toList();
        Set<String> ask = LanguageTable.words(language.code(), "ask");
        List<Word> about =
                content.stream().filter(word -> !ask.contains(word.form())).toList();
        return !about.isEmpty() ? about : !content.isEmpty() ? content : words;
    }

    public static boolean isNegation(Word word) {
        return word.role() == Role.NEGATION;
    }

    /** The stem of one word of English in lower case. */
    public static String stem(String lower) {
        return of(lower, Languages.ENGLISH).get(0).stem();
    }

    private static Set<String> stems(List<Word> words) {
        Set<String> stems = new LinkedHashSet<>();
        words.stream().filter(Word::content).forEach(word -> stems.add(word.stem()));
        return stems;
    }
}
