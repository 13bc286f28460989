package dev.pollux.twin;

import dev.pollux.internal.text.AskedWord;
import dev.pollux.internal.text.Block;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A number of a question that belongs to the word before it: <em>version 3.3</em>, <em>Item 177</em>. It is no amount, and the same
 * number elsewhere is another. <em>Immutable.</em>
 *
 * @param index the number's place among the words asked for
 * @param label the word before it
 * @param number the number
 * @param text both, as the question has them
 */
record Identifier(int index, AskedWord label, AskedWord number, String text) {

    /*
     * "A bonus of 500", "pay 500 euros", "within 3 days" are amounts: a function word comes before the number, or a word for what
     * it counts follows. The rest is decided by the documents (Coverage): only where they write numbers behind the same word is it
     * a label there, and only then is a number that they do not write behind it missing.
     */

    private static final Pattern BETWEEN = Pattern.compile("[\\s#:.№-]{0,3}");

    private static final Pattern PLAIN = Pattern.compile("\\d+(?:\\.\\d+)*");

    /** What a text says of it. */
    enum Mention {
        /** No number follows the label. */
        NONE,
        /** Other numbers follow it. */
        OTHER,
        /** The number follows it. */
        SAME
    }

    /** Those of a question, whose words asked for are given. */
    static List<Identifier> of(String question, List<AskedWord> words) {
        List<Identifier> found = new ArrayList<>();
        for (int i = 1; i < words.size(); i++) {
            Words.Word number = words.get(i).word();
            Words.Word label = words.get(i - 1).word();
            boolean numbered = PLAIN.matcher(number.stem()).matches()
                    && !label.isNumber()
                    && !Naming.isNamed(question, number)
                    && isBetween(question, label.end(), number.start());
            boolean counts = i + 1 < words.size()
                    && isBetween(question, number.end(), words.get(i + 1).word().start());
            if (numbered && !counts) {
                String text = question.substring(label.start(), number.end());
                found.add(new Identifier(i, words.get(i - 1), words.get(i), text));
            }
        }
        return found;
    }

    private static boolean isBetween(String text, int from, int to) {
        return from <= to && BETWEEN.matcher(text.substring(from, to)).matches();
    }

    /** What a line says, with the headings above it and its place in a numbered list. */
    Mention in(Source source, Source.Line line) {
        Mention own = in(line.words(), source.language());
        Mention above = in(line.section().words(), source.language());
        Block.Item item = line.range().block().place().item();
        boolean numbered = item != null && number.word().stem().equals(String.valueOf(item.number()));
        if (own == Mention.SAME || above == Mention.SAME || numbered) {
            return Mention.SAME;
        }
        return own == Mention.OTHER || above == Mention.OTHER ? Mention.OTHER : Mention.NONE;
    }

    /** Words in a row: the label, then numbers, such as {@code items 3, 4 and 7} or {@code 10 to 20}. */
    private Mention in(List<Words.Word> words, Language language) {
        Mention mention = Mention.NONE;
        for (int i = 0; i + 1 < words.size(); i++) {
            boolean labels = words.get(i).keys().stream().anyMatch(label.stems(language)::contains);
            if (!labels || !words.get(i + 1).isNumber()) {
                continue;
            }
            List<String> run = numbers(words, i + 1);
            if (run.contains(number.word().stem()) || isWithin(run)) {
                return Mention.SAME;
            }
            mention = Mention.OTHER;
        }
        return mention;
    }

    /** The numbers from a place on, with function words between. */
    private static List<String> numbers(List<Words.Word> words, int from) {
        List<String> numbers = new ArrayList<>();
        for (int i = from; i < words.size(); i++) {
            Words.Word word = words.get(i);
            if (word.isNumber()) {
                numbers.add(word.stem());
                numbers.addAll(word.also());
            } else if (word.content()) {
                break;
            }
        }
        return numbers;
    }

    private boolean isWithin(List<String> run) {
        Optional<Double> first = value(run.get(0));
        Optional<Double> last = value(run.get(run.size() - 1));
        Optional<Double> asked = value(number.word().stem());
        return first.isPresent()
                && last.isPresent()
                && asked.isPresent()
                && first.get() <= asked.get()
                && asked.get() <= last.get();
    }

    private static Optional<Double> value(String stem) {
        try {
            return Optional.of(Double.valueOf(stem));
        } catch (NumberFormatException e) { // a version of three parts, a number with letters
            return Optional.empty();
        }
    }
}
