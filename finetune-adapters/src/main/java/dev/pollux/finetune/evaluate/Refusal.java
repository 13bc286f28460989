package dev.pollux.finetune.evaluate;

import java.util.Locale;
import java.util.regex.Pattern;

/** Recognizes answers that say that they do not know. */
final class Refusal {

    /*
     * A refusal is recognized by its first sentence: an answer that begins with what is known is an answer, whatever it adds.
     *
     *   refused      I do not know: this is not in the sources.       The passage does not mention it.
     *   answered     Paris. The passage does not mention the year.    He did not know the way.
     */

    private static final String SOURCE = "(?:sources?|passages?|documents?|texts?|contexts?|story|article|information)";
    private static final Pattern SAID = Pattern.compile(
            "^(?:sorry,? )?(?:i|we) (?:do not|don't|dont|cannot|can't|can not|could not|am unable to|am not able to)"
                    + " (?:know|answer|say|tell|find|determine)"
                    + "|\\bnot (?:\\w+ )?(?:in|by) (?:the|any|this|these)(?: \\w+)? " + SOURCE
                    + "|\\b" + SOURCE + " (?:(?:do|does|did) not|don't|doesn't|cannot|can't) (?:\\w+ )?"
                    + "(?:say|mention|answer|contain|provide|state|include|specify|give|tell|describe|explain|know)"
                    + "|^(?:there is )?no (?:answer|information)\\b|\\bunanswerable\\b|\\bcannot be answered\\b"
                    + "|^(?:unknown|not known|not stated|not mentioned)\\b");

    private Refusal() {}

    static boolean is(String answer) {
        String text = answer.strip().toLowerCase(Locale.ROOT).replace('\u2019', '\'');
        String first = text.split("(?<=[.!?])\\s|\\R", 2)[0];
        return first.isBlank() || SAID.matcher(first).find();
    }
}
