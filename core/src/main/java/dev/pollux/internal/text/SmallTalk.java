package dev.pollux.internal.text;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Tells thanks, greetings and assent from questions. <em>Stateless, thread-safe.</em> */
public final class SmallTalk {

    /*
     * A text is small talk in a language if one of its words thanks, greets or agrees there, all others do too or are function
     * words, none of them asks, and there are few. "Thanks, and for Rome?" has a word of its own and is a question.
     */

    private static final int MOST_WORDS = 8;

    private static final List<String> ASKING = List.of("who", "when", "where", "ask");

    /** What greets with a word that asks. */
    private static final Set<String> PLEASANTRIES =
            Set.of("how are you", "what s up", "how s it going", "how is it going");

    /** In the place of a phrase; no word. */
    private static final String SAID = "=";

    private SmallTalk() {}

    /** Whether a text asks nothing. */
    public static boolean is(String text) {
        List<String> forms =
                Words.of(text, Languages.ENGLISH).stream().map(Words.Word::form).toList();
        if (forms.isEmpty() || forms.size() > MOST_WORDS) {
            return false;
        }
        return PLEASANTRIES.contains(String.join(" ", forms))
                || LanguageTable.codes().stream().anyMatch(code -> is(forms, code));
    }

    private static boolean is(List<String> forms, String code) {
        Set<String> talk = LanguageTable.words(code, "talk");
        String text = "_" + String.join("_", forms) + "_";
        for (String phrase : talk) {
            text = phrase.indexOf('_') > 0 ? text.replace("_" + phrase + "_", "_" + SAID + "_") : text;
        }
        List<String> words = List.of(text.substring(1, text.length() - 1).split("_"));
        if (words.stream().noneMatch(word -> word.equals(SAID) || talk.contains(word))) {
            return false;
        }
        Set<String> asking = new HashSet<>();
        ASKING.forEach(kind -> asking.addAll(LanguageTable.words(code, kind)));
        asking.removeAll(talk);
        Set<String> function = Languages.byCode(code).functionWords();
        return words.stream()
                .allMatch(form ->
                        form.equals(SAID) || talk.contains(form) || function.contains(form) && !asking.contains(form));
    }
}
