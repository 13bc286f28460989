package dev.pollux.internal.text;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The words of English, known without a provider. <em>Stateless, thread-safe.</em> */
final class English {

    /** Words that say nothing on a subject; those that only ask for an answer are content elsewhere. */
    static final Set<String> FUNCTION = function();

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

    private English() {}

    /** The stem of a word in lower case. */
    static String stem(String form) {
        return stem(form, EnglishStemmer::strip);
    }

    /** The same by another rule for words of lower-case ASCII letters. */
    static String stem(String form, UnaryOperator<String> rule) {
        String word = Folding.folded(NUMERALS.getOrDefault(form, form));
        boolean plain = word.length() > 3
                && word.length() <= LONGEST_STEM
                && word.chars().allMatch(c -> c >= 'a' && c <= 'z');
        return plain ? rule.apply(word) : word;
    }

    private static Set<String> function() {
        Set<String> words = new HashSet<>(Set.of(("a an the this that these those some any each every either neither"
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
                        + " s t ll ve re d m etc eg ie"
                        + " however therefore thus hence moreover furthermore additionally instead rather quite")
                .split(" ")));
        words.addAll(LanguageTable.words("en", "not"));
        return Set.copyOf(words);
    }
}
