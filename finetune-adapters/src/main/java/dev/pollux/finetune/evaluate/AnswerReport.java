package dev.pollux.finetune.evaluate;

import dev.pollux.inference.calibration.ModelComparison.Interval;
import java.util.List;
import java.util.Optional;

/**
 * What a model answered to questions. A measure is absent if no row has it. <em>Immutable.</em>
 *
 * @param rows the number of questions
 * @param exactMatch mean over answerable questions; see {@link AnswerScore}. A refusal scores 0
 * @param tokenF1 as {@code exactMatch}
 * @param contains as {@code exactMatch}
 * @param refusedUnanswerable share of the questions without an answer that were refused; the higher, the better
 * @param refusedAnswerable share of the answerable questions that were refused; the lower, the better
 * @param answers each answer with its score, in the order of the questions
 */
public record AnswerReport(
        int rows,
        Optional<Interval> exactMatch,
        Optional<Interval> tokenF1,
        Optional<Interval> contains,
        Optional<Interval> refusedUnanswerable,
        Optional<Interval> refusedAnswerable,
        List<ScoredAnswer> answers) {

    /** The report on no questions. */
    public static final AnswerReport EMPTY = of(List.of());

    public AnswerReport {
        answers = List.copyOf(answers);
    }

    /**
     * An answer.
     *
     * @param question what was asked
     * @param answer what the model wrote, with citations
     * @param score of the answer without citations; 0 for a refusal and for a question without an answer
     * @param refused whether the model said that it does not know
     */
    public record ScoredAnswer(ReadingQuestion question, String answer, AnswerScore score, boolean refused) {}

    /** The report on answers in the order of their questions. */
    static AnswerReport of(List<ScoredAnswer> answers) {
        List<ScoredAnswer> known =
                answers.stream().filter(one -> one.question().isAnswerable()).toList();
        List<ScoredAnswer> unknown =
                answers.stream().filter(one -> !one.question().isAnswerable()).toList();
        return new AnswerReport(
                answers.size(),
                ClusterBootstrap.of(known, one -> one.score().exactMatch()),
                ClusterBootstrap.of(known, one -> one.score().tokenF1()),
                ClusterBootstrap.of(known, one -> one.score().contains()),
                ClusterBootstrap.of(unknown, one -> one.refused() ? 1 : 0),
                ClusterBootstrap.of(known, one -> one.refused() ? 1 : 0),
                answers);
    }
}
