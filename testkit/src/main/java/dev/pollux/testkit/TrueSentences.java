package dev.pollux.testkit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rewords true sentences by rule, in ways that keep them true, to measure a check of written sentences. The rules know
 * English. <em>Thread-safe.</em>
 */
public final class TrueSentences {

    /** How a sentence was reworded. */
    public enum Kind {
        /** Not at all. */
        VERBATIM,
        /** Its main clause alone. */
        CLAUSE,
        /** Other articles and no filling words. */
        FUNCTION_WORDS,
        /** Another tense of its auxiliary verb. */
        TENSE
    }

    /** A true sentence. */
    public record TrueSentence(Kind kind, String text) {}

    private static final Pattern CONDITION = Pattern.compile(
            "\\b(?:if|unless|when|whether|except|until|only|without|rather|instead|not|never|no|n['’]t|may|might|could|would)\\b",
            Pattern.CASE_INSENSITIVE);

    /** The beginning of a sentence up to where another clause is added. */
    private static final Pattern MAIN = Pattern.compile(
            "^((?:The|An?|[A-Z][a-z]+|It|They|He|She|We|This)\\b[^,;:()]{20,160}?),? (?:which|who|while|whereas|because|and (?:the|he|she|it|they|we)|but|so that)\\b.*$");

    private static final Pattern FILLER =
            Pattern.compile("\\b(?:also|just|very|quite|really|simply|indeed|therefore|however|thus) ");

    private static final Pattern ARTICLE = Pattern.compile("(?<=[a-z] )(?:the|a|an) (?=[a-z])");

    private static final Map<String, String> TENSES = new LinkedHashMap<>();

    static {
        String[] pairs =
                "is/was are/were was/is were/are has/had have/had does/did do/did will/would can/could".split(" ");
        for (String pair : pairs) {
            String[] both = pair.split("/");
            TENSES.put(both[0], both[1]);
        }
    }

    private static final Pattern AUXILIARY = Pattern.compile("\\b(?:is|are|was|were|has|have|does|do|will|can)\\b");

    private TrueSentences() {}

    /** {@code sentence} as it stands, then reworded in each way that its words allow. */
    public static List<TrueSentence> of(String sentence) {
        List<TrueSentence> result = new ArrayList<>();
        result.add(new TrueSentence(Kind.VERBATIM, sentence));
        clause(sentence).ifPresent(text -> result.add(new TrueSentence(Kind.CLAUSE, text)));
        String plain = ARTICLE.matcher(FILLER.matcher(sentence).replaceAll("")).replaceFirst("that ");
        if (!plain.equals(sentence)) {
            result.add(new TrueSentence(Kind.FUNCTION_WORDS, plain));
        }
        Matcher auxiliary = AUXILIARY.matcher(sentence);
        if (auxiliary.find()) {
            result.add(new TrueSentence(Kind.TENSE, auxiliary.replaceFirst(TENSES.get(auxiliary.group()))));
        }
        return result;
    }

    private static Optional<String> clause(String sentence) {
        Matcher main = MAIN.matcher(sentence);
        return main.matches() && !CONDITION.matcher(sentence).find()
                ? Optional.of(main.group(1) + ".")
                : Optional.empty();
    }
}
