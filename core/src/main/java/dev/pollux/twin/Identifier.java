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
 * A number in a question that identifies something together with the word before it: <em>version 3.3</em>, <em>Item
 * 177</em>. It is not an amount, and the same number after another word does not match. <em>Immutable.</em>
 *
 * @param index the number's index in the words asked for
 * @param label the word before the number
 * @param number the number
 * @param text label and number as written in the question
 */
record Identifier(int index, AskedWord label, AskedWord number, String text) {

    /*
     * A number is an amount if a function word precedes it or a counted noun follows: "a bonus of 500", "pay 500 euros",
     * "within 3 days". The documents decide on the remaining numbers (Coverage):
     *
     *   documents have after the label  result
     *   no numbers                      the word is no label there; the number is not missing
     *   only other numbers              the word is a label; the number is missing
     *   this number                     the word is a label; the number is found
     */

    private static final Pattern BETWEEN = Pattern.compile("[\\s#:.№-]{0,3}");

    private static final Pattern PLAIN = Pattern.compile("\\d+(?:\\.\\d+)*");

    /** How a text mentions an identifier. */
    enum Mention {
        /** No number follows the label. */
        NONE,
        /** Other numbers follow it. */
        OTHER,
        /** The number follows it. */
        SAME
    }

    /** The identifiers of a question with the given words asked for. */
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

    /** How a line mentions it, including the headings above and its number in an ordered list. */
    Mention in(EvidencePassage source, SentenceSpan line) {
        Mention own = in(line.words(), source.language());
        Mention above = in(line.section().words(), source.language());
        Block.Item item = line.range().block().place().item();
        boolean numbered = item != null && number.word().stem().equals(String.valueOf(item.number()));
        if (own == Mention.SAME || above == Mention.SAME || numbered) {
            return Mention.SAME;
        }
        return own == Mention.OTHER || above == Mention.OTHER ? Mention.OTHER : Mention.NONE;
    }

    /** How consecutive words mention it: the label, then numbers, such as {@code items 3, 4 and 7} or {@code 10 to 20}. */
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

    /** The numbers from an index on, separated only by function words. */
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
