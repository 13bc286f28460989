package dev.pollux.internal.text;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The marks of a question and of its answer in a list of questions, in the languages that use Latin and some others. */
public final class Asking {

    private static final Set<String> QUESTION = Set.of(
            "q",
            "question",
            "frage",
            "f",
            "pregunta",
            "p",
            "domanda",
            "d",
            "pergunta",
            "vraag",
            "вопрос",
            "в",
            "问",
            "問",
            "質問",
            "问题");

    private static final Set<String> ANSWER = Set.of(
            "a",
            "answer",
            "antwort",
            "r",
            "réponse",
            "reponse",
            "respuesta",
            "risposta",
            "resposta",
            "antwoord",
            "ответ",
            "о",
            "答",
            "回答",
            "答案");

    /** Such as {@code Q:}, {@code **Q1.**}, {@code Question 3:}; the colon stands inside or outside of the bold mark. */
    private static final Pattern LABEL =
            Pattern.compile("[*_]{0,3}(\\p{L}{1,10})(?:[ ]?\\d{1,4})?[*_]{0,3}[ ]?[:：.)][*_]{0,3}(?=\\s|\\p{L})\\s*");

    /** What the ends of a question may hold besides the mark itself. */
    private static final String CLOSING = "*_\"'”’»)]} \t\r\n";

    private Asking() {}

    /** The characters of the mark of a question at the beginning of {@code line}; 0 where there is none. */
    public static int questionMark(String line) {
        return mark(line, QUESTION);
    }

    /** The characters of the mark of an answer at the beginning of {@code line}; 0 where there is none. */
    public static int answerMark(String line) {
        return mark(line, ANSWER);
    }

    private static int mark(String line, Set<String> names) {
        Matcher label = LABEL.matcher(line);
        if (!label.lookingAt()) {
            return 0;
        }
        boolean known = names.contains(label.group(1).toLowerCase(Locale.ROOT));
        boolean letter = label.group(1).length() == 1 && label.group(1).charAt(0) < 0x250;
        boolean plain = !letter || Character.isUpperCase(label.group(1).charAt(0)) && !isInitial(label.group());
        return known && plain ? label.end() : 0;
    }

    /** {@code A. Smith} is a name and {@code a)} an item; after one letter only a colon, or a point in bold, marks. */
    private static boolean isInitial(String label) {
        return label.indexOf(':') < 0 && label.indexOf('：') < 0 && label.indexOf('*') < 0 && label.indexOf('_') < 0;
    }

    /** Whether a sentence asks: it ends with a question mark, of any script, perhaps inside quotes or emphasis. */
    public static boolean isQuestion(String sentence) {
        int end = sentence.length();
        while (end > 0 && CLOSING.indexOf(sentence.charAt(end - 1)) >= 0) {
            end--;
        }
        return end > 0 && "?？؟\u037E՞".indexOf(sentence.charAt(end - 1)) >= 0;
    }
}
