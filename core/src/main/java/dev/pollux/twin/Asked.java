package dev.pollux.twin;

import dev.pollux.internal.text.Words;
import java.util.regex.Pattern;

/**
 * The kind of answer that a question asks for, in the languages whose function words are known. <em>Immutable.</em>
 *
 * @param how whether it asks for a procedure, in steps
 * @param why whether it asks for a cause
 * @param forCode whether it asks for code, a command or an identifier of code
 */
record Asked(boolean how, boolean why, boolean forCode) {

    private static final Pattern HOW =
            Pattern.compile("(?iu)(?:.*[.!,:;]\\s+)?(?:(?:and|so|und|et|y|e|please|bitte)\\s+)?(?:"
                    + "how\\s+(?:do|does|did|can|could|should|shall|would|to|must|may|is|are|was|were|am)\\b"
                    + "|wie\\s+(?!viele?\\b|lange\\b|oft\\b|hoch\\b|gro(?:ß|ss)\\b|alt\\b|weit\\b|teuer\\b|heißt\\b|schwer\\b|schnell\\b|breit\\b)"
                    + "|comment\\b|c[oó]mo\\b|come\\s+(?:si|posso|faccio|fare)\\b).*");

    private static final Pattern STEPS = Pattern.compile(
            "(?iu).*\\b(?:steps?|procedure|instructions?|walk me through|schritte?|anleitung|ablauf|étapes?|pasos?|passaggi|passi)\\b.*");

    private static final Pattern WHY = Pattern.compile(
            "(?iu).*\\b(?:why|reasons?|cause[sd]?|what for|how come|warum|weshalb|wieso|grund|gründe|pourquoi|raisons?|por qu[eé]|perch[eé])\\b.*");

    private static final Pattern CODE = Pattern.compile(
            "(?iu).*\\b(?:code|commands?|examples?|snippets?|scripts?|syntax|shell|cli|flags?|options?"
                    + "|function|method|class|api|sql|query|regex|json|yaml|xml|config(?:uration)?|install|import|call|run|print|output"
                    + "|befehle?|beispiele?|kommando|commandes?|exemples?|comandos?|ejemplos?|esempi[oi]?|install\\w*)\\b.*");

    /** An identifier of code: with a capital, an underscore, a point or a bracket inside, or an option. */
    private static final Pattern IDENTIFIER =
            Pattern.compile("(?s).*(?:\\p{Ll}\\p{Lu}\\p{Ll}|\\w_\\w|\\w\\.\\p{L}|\\w\\(|`|(?:^|\\s)--?\\p{L}).*");

    private static final Pattern CAUSE = Pattern.compile(
            "(?iu)(?:(?:this|that|it)(?:'s|\\s+(?:is|was|happens|happened))\\s+(?:because|why|due|so that)"
                    + "|because|the reasons?|therefore|thus|hence|consequently|as a (?:result|consequence)|for (?:this|that) reason|that is why|so\\b"
                    + "|otherwise|instead|deshalb|daher|darum|deswegen|denn|somit|der grund|das liegt|sonst|andernfalls"
                    + "|parce que|car\\b|c'est pourquoi|donc|ainsi|sinon|porque|por eso|por lo tanto|perciò|quindi|perché|altrimenti)\\b.*");

    private static final Pattern GOES_ON =
            Pattern.compile("(?iu)(?:it|they|these|those|this|that|he|she|er|sie|es|dies(?:e[rs]?)?"
                    + "|il|elle|ils|elles|cela|ceci|ello|ella|ellos|ellas|esto|esta|este|esso|essa|essi|lui|lei)\\b.*");

    private static final Pattern LEANS_BACK = Pattern.compile(
            "(?iu)(?:it|its|they|their|these|those|this|that|he|she|his|her|such|both"
                    + "|er|sie|es|dies(?:e[rs]?)?|beide|il|elle|ils|elles|cela|ceci|ello|ella|ellos|ellas|esto|esso|essa|essi"
                    + "|therefore|thus|hence|consequently|however|otherwise|instead|deshalb|daher|darum|dennoch|sonst|donc|por eso|perciò|quindi)\\b.*");

    static Asked of(String question) {
        String asked = question.strip();
        boolean how = HOW.matcher(asked).matches() || STEPS.matcher(asked).matches();
        return new Asked(
                how,
                WHY.matcher(asked).matches(),
                how
                        || CODE.matcher(asked).matches()
                        || IDENTIFIER.matcher(asked).matches()
                        || Words.of(asked).stream()
                                .allMatch(Words.Word::content)); // keywords accept any kind of answer
    }

    /** Whether a sentence continues the previous one: with a cause, a consequence, or the same subject. */
    boolean goesOn(String sentence) {
        return !beginsWithName(sentence)
                && (CAUSE.matcher(sentence).matches()
                        || GOES_ON.matcher(sentence).matches());
    }

    /** Whether a sentence depends on the previous one for its meaning. */
    static boolean leansBack(String sentence) {
        return !beginsWithName(sentence)
                && (LEANS_BACK.matcher(sentence).matches()
                        || CAUSE.matcher(sentence).matches());
    }

    /** Whether the sentence starts with a name; {@code IT} is not a pronoun. */
    private static boolean beginsWithName(String sentence) {
        return sentence.length() > 1
                && Character.isUpperCase(sentence.charAt(0))
                && Character.isUpperCase(sentence.charAt(1));
    }
}
