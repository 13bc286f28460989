package dev.pollux.internal.text;

import java.util.List;
import java.util.Map;

/** A light English stemmer: words of one family get one stem, which need not be a word. <em>Stateless, thread-safe.</em> */
final class EnglishStemmer {

    /*
     * Not Porter's algorithm: a single pass that takes the plural first, then one derivational ending, then evens out
     * what endings do to a stem (doubled consonants, a silent e, y and i, -ate, British -ise). Two words of one family
     * must meet; that a stem is no word, or that now and then two families meet, costs little here, where overlap is
     * summed over a sentence.
     */
    private static final List<String> ENDINGS = List.of(
            "ization", "isation", "icity", "ically", "ical", "ations", "ation", "ments", "ment", "ness", "ingly",
            "ings", "ing", "edly", "ions", "ion", "ally", "able", "ible", "ally", "ers", "er", "ors", "or", "ed", "ly",
            "al", "ive", "ity", "ance", "ence", "ful", "ous", "ic");

    /** Common words that the rules would part from their family, or join to another. */
    private static final Map<String, String> IRREGULAR = Map.of(
            "embed", "embed", "embeds", "embed", "used", "use", "using", "use", "uses", "use", "species", "species",
            "series", "series");

    private static final int SHORTEST = 3;

    private EnglishStemmer() {}

    /** The stem of a lower-case word of four ASCII letters or more. */
    static String strip(String word) {
        String irregular = IRREGULAR.get(word);
        if (irregular != null) {
            return irregular;
        }
        String stem = withoutPlural(word);
        for (String ending : ENDINGS) {
            int length = stem.length() - ending.length();
            if (stem.endsWith(ending) && length >= shortest(ending) && hasVowel(stem, length)) {
                stem = stem.substring(0, length) + (ending.startsWith("iz") || ending.startsWith("is") ? "iz" : "");
                break;
            }
        }
        return evened(stem);
    }

    private static int shortest(String ending) {
        return switch (ending) {
            case "ing", "ed", "ings" -> SHORTEST;
            case "icity",
                    "ical",
                    "ically",
                    "ity",
                    "ance",
                    "ence",
                    "ful",
                    "ous",
                    "ic",
                    "al",
                    "or",
                    "er",
                    "ors",
                    "ers",
                    "ive",
                    "ion",
                    "able",
                    "ible",
                    "ly",
                    "ation",
                    "ations" -> SHORTEST + 1;
            default -> SHORTEST;
        };
    }

    private static String withoutPlural(String word) {
        if (word.endsWith("ies") && word.length() > 4) {
            return word.substring(0, word.length() - 3) + "y";
        }
        if (word.endsWith("sses") || word.endsWith("xes") || word.endsWith("ches") || word.endsWith("shes")) {
            return word.substring(0, word.length() - 2);
        }
        boolean plural = word.endsWith("s") && !word.endsWith("ss") && !word.endsWith("us") && !word.endsWith("is");
        return plural ? word.substring(0, word.length() - 1) : word;
    }

    private static String evened(String word) {
        String stem = word;
        int last = stem.length() - 1;
        if (last >= 3 && stem.charAt(last) == 'e') {
            stem = stem.substring(0, last);
        }
        if (stem.endsWith("at") && stem.length() >= 6) {
            stem = stem.substring(0, stem.length() - 2);
        }
        if (stem.endsWith("is") && stem.length() >= 5) {
            stem = stem.substring(0, stem.length() - 1) + "z";
        }
        last = stem.length() - 1;
        if (last >= 3 && stem.charAt(last) == stem.charAt(last - 1) && "lsz".indexOf(stem.charAt(last)) < 0) {
            stem = stem.substring(0, last);
        } else if (stem.endsWith("ll") && stem.length() >= 6) {
            stem = stem.substring(0, last);
        }
        return stem.endsWith("y") ? stem.substring(0, stem.length() - 1) + "i" : stem;
    }

    private static boolean hasVowel(String word, int length) {
        for (int i = 0; i < length; i++) {
            if ("aeiouy".indexOf(word.charAt(i)) >= 0) {
                return true;
            }
        }
        return false;
    }
}
