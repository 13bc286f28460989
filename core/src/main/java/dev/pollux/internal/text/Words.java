package dev.pollux.internal.text;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The words of a text, as evidence and claims are compared by them: lower case, lightly stemmed, without function words.
 *
 * <p>A word is a run of letters and digits; an apostrophe inside ends it for comparison ({@code model's} is
 * {@code model}), a point or comma between digits does not ({@code 3.5}, and {@code 1,000} is {@code 1000}). An
 * ideograph is a word by itself. Stems come from a short list of English suffixes, so that {@code merge}, {@code merged},
 * {@code merging} and {@code merges} meet; words of other scripts and languages are compared as they are.
 * <em>Stateless, thread-safe.</em>
 */
public final class Words {

    /**
     * One word of a text.
     *
     * @param start first character in the text
     * @param end one past the last
     * @param text as it stands
     * @param stem what it is compared by
     * @param content whether it carries meaning: no function word, no single letter
     */
    public record Word(int start, int end, String text, String stem, boolean content) {

        public boolean isNumber() {
            return Character.isDigit(stem.charAt(0));
        }
    }

    private static final Set<String> FUNCTION =
            Set.of(("a an the this that these those some any each every either neither"
                            + " both such same other another all most many much more less few own"
                            + " i me my mine myself we us our ours ourselves you your yours yourself he him his she her hers it its"
                            + " itself they them their theirs themselves one ones someone something anyone anything everything"
                            + " am is are was were be been being do does did done doing have has had having will would shall"
                            + " should can could may might must ought let"
                            + " and or but nor so yet if then else than because as until while although though whereas unless since"
                            + " of at by for with without about against between among into through during before after above below"
                            + " to from up down in out on off over under again further upon within across along toward towards via per"
                            + " what which who whom whose when where why how whether"
                            + " here there now just only also too very not no never none cannot yes"
                            + " isn aren wasn weren don doesn didn won wouldn couldn shouldn hasn haven hadn ain mustn needn"
                            + " s t ll ve re d m etc e.g i.e"
                            + " however therefore thus hence moreover furthermore additionally instead rather quite")
                    .split(" "));

    /** Words by which a question asks for an answer and says nothing on its subject. */
    private static final Set<String> ASKING =
            Set.of(("explain describe discuss outline tell give list name mention state"
                            + " summarize summarise define say know please show elaborate detail provide")
                    .split(" "));

    private static final Set<String> NEGATIONS =
            Set.of(("not no never none without cannot neither nor nothing nobody isn aren wasn weren don doesn didn won"
                            + " wouldn couldn shouldn hasn haven hadn ain mustn needn")
                    .split(" "));

    private static final Map<String, String> NUMERALS = Map.ofEntries(
            Map.entry("two", "2"),
            Map.entry("three", "3"),
            Map.entry("four", "4"),
            Map.entry("five", "5"),
            Map.entry("six", "6"),
            Map.entry("seven", "7"),
            Map.entry("eight", "8"),
            Map.entry("nine", "9"),
            Map.entry("ten", "10"),
            Map.entry("eleven", "11"),
            Map.entry("twelve", "12"),
            Map.entry("third", "3rd"), // not first and second, which are other words too
            Map.entry("fourth", "4th"),
            Map.entry("fifth", "5th"),
            Map.entry("sixth", "6th"),
            Map.entry("seventh", "7th"),
            Map.entry("eighth", "8th"),
            Map.entry("ninth", "9th"),
            Map.entry("tenth", "10th"));

    private static final int LONGEST_STEM = 64;

    private Words() {}

    /** Every word of {@code text}, in order. */
    public static List<Word> of(String text) {
        List<Word> words = new ArrayList<>();
        for (int i = 0; i < text.length(); ) {
            int end = wordEnd(text, i);
            if (end > i) {
                words.add(word(text, i, end));
                i = end;
            } else {
                i += Character.charCount(text.codePointAt(i));
            }
        }
        return words;
    }

    /** The stems of the words that carry meaning, in order of first use. */
    public static Set<String> contentStems(String text) {
        Set<String> stems = new LinkedHashSet<>();
        for (Word word : of(text)) {
            if (word.content()) {
                stems.add(word.stem());
            }
        }
        return stems;
    }

    /** As {@link #contentStems} without the words that only ask; all where nothing else is there. */
    public static Set<String> questionStems(String question) {
        Set<String> stems = new LinkedHashSet<>();
        for (Word word : of(question)) {
            if (word.content() && !ASKING.contains(lower(word.text()))) {
                stems.add(word.stem());
            }
        }
        return stems.isEmpty() ? contentStems(question) : stems;
    }

    public static boolean isNegation(Word word) {
        return NEGATIONS.contains(lower(word.text()));
    }

    /** The stem of one word in lower case. */
    public static String stem(String lower) {
        String word = NUMERALS.getOrDefault(lower, lower);
        if (Character.isDigit(word.charAt(0))) {
            return word.replace(",", "");
        }
        if (word.length() <= 3 || word.length() > LONGEST_STEM || !isPlainAscii(word)) {
            return word;
        }
        return Suffixes.strip(word);
    }

    private static Word word(String text, int start, int end) {
        String shown = text.substring(start, end);
        String lower = lower(shown);
        boolean single = end - start == 1 && lower.charAt(0) < 0x80 && !Character.isDigit(lower.charAt(0));
        return new Word(start, end, shown, stem(lower), !single && !FUNCTION.contains(lower));
    }

    private static int wordEnd(String text, int start) {
        int i = start;
        while (i < text.length()) {
            int c = text.codePointAt(i);
            if (Character.isIdeographic(c)) {
                return i == start ? i + Character.charCount(c) : i;
            }
            if (!Character.isLetterOrDigit(c) && !(i > start && isMark(c)) && !joinsDigits(text, i, start)) {
                return i;
            }
            i += Character.charCount(c);
        }
        return i;
    }

    private static boolean isMark(int c) {
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
    }

    /** Whether a point or comma stands between two digits; a comma only before three of them. */
    private static boolean joinsDigits(String text, int i, int start) {
        char c = text.charAt(i);
        if (c != '.' && c != ',' || i == start || i + 1 >= text.length()) {
            return false;
        }
        if (!Character.isDigit(text.charAt(i - 1)) || !Character.isDigit(text.charAt(i + 1))) {
            return false;
        }
        return c == '.'
                || i + 3 < text.length()
                        && Character.isDigit(text.charAt(i + 2))
                        && Character.isDigit(text.charAt(i + 3));
    }

    private static boolean isPlainAscii(String word) {
        return word.chars().allMatch(c -> c >= 'a' && c <= 'z');
    }

    private static String lower(String word) {
        return word.toLowerCase(Locale.ROOT);
    }
}
