package dev.pollux.twin;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Decides when the written sentences answer the question. <em>Confined to one thread.</em> */
final class Completion {

    /*
     * Criterion by kind of question:
     *
     *   value (when, how many)       a kept sentence contains a value that is not in the question, and the kept sentences
     *                                with their sources contain each word of the question that the passages contain; at the
     *                                latest, FEW sentences are kept
     *   one thing (who, where, is)   FEW sentences are kept
     *   other, or two things         MANY sentences are kept
     */

    /** Number of sentences that answer a question for one thing: the answer and its immediate context. */
    static final int FEW = 3;

    /** Number of sentences that answer any question. */
    static final int MANY = 8;

    private static final Pattern VALUE = Pattern.compile(
            "\\b(?:when|how (?:many|much|long|old|far|often|large|big|high|tall|fast|deep)"
                    + "|(?:what|which) (?:time|year|date|day|month|price|number|percentage|share))\\b",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern ONE = Pattern.compile(
            "^\\W{0,9}(?:who|whose|where|which|is|are|was|were|do|does|did|can|has|have|had|will)\\b",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern ASKING =
            Pattern.compile("\\b(?:who|whose|where|which|when|what|why|how)\\b", Pattern.CASE_INSENSITIVE);

    private final boolean value;
    private final int most;
    private final Set<String> question;
    private final Set<String> open;
    private boolean found;
    private int sentences;

    Completion(String question, List<TwinPrompt.Packed> passages) {
        boolean single = ASKING.matcher(question).results().count() <= 1;
        this.value = single && VALUE.matcher(question).find();
        this.most = single && (value || ONE.matcher(question).find()) ? FEW : MANY;
        this.question = keys(question);
        this.open = new HashSet<>(this.question);
        Set<String> known = new HashSet<>();
        passages.forEach(packed -> {
            known.addAll(keys(packed.source().passage().heading()));
            packed.source().lines().forEach(line -> known.addAll(keys(line.text())));
        });
        open.retainAll(known);
    }

    /** Adds a sentence that has passed the check; returns whether the answer is now complete. */
    boolean with(String sentence, List<Grounding.Support> supports) {
        sentences++;
        Statement statement = Statement.of(sentence);
        found |= statement.terms().stream().anyMatch(term -> term.isValue() && !question.contains(term.key()));
        open.removeAll(keys(sentence));
        for (Grounding.Support support : supports) {
            open.removeAll(keys(support.line().text()));
            open.removeAll(keys(support.line().section().heading()));
        }
        return sentences >= most || value && found && open.isEmpty();
    }

    private static Set<String> keys(String text) {
        return Statement.of(text).terms().stream().map(Term::key).collect(Collectors.toSet());
    }
}
