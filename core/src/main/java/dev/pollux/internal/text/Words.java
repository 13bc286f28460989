package dev.pollux.internal.text;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The words of a text in the form that search, evidence and claims compare. Indexing and queries use the same words.
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
     * @param text the original text
     * @param form its exact form: normalised, in lower case, with accents
     * @param stem the form used in comparisons; a name that is spelled like a function word keeps its capitals
     * @param role its role in the sentence
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

    /** The role of a word. */
    public enum Role {
        CONTENT,
        FUNCTION,
        /** A function word of negation. */
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
     * The topic words of a question: its content words without question words. If none remain, the question words; if there
     * are none, the function words.
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
