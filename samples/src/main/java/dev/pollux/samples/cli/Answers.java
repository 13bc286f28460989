package dev.pollux.samples.cli;

import dev.pollux.embedding.SimilarityScale;
import dev.pollux.retrieval.Origin;
import dev.pollux.twin.Answer;
import dev.pollux.twin.AnswerStream;
import dev.pollux.twin.Citation;
import dev.pollux.twin.Evidence;
import dev.pollux.twin.WritingAbility;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Prints answers for people. */
final class Answers {

    private Answers() {}

    /**
     * Reads an answer as it is generated. If {@code printed}, each sentence is printed as soon as it has passed the check.
     * Before the first one, a terminal shows the locations of the evidence and the progress of the model. If {@code draft},
     * the unchecked text is shown on standard error.
     */
    static void read(AnswerStream stream, Output output, boolean printed, boolean draft) {
        String found = found(stream.evidence());
        output.status(found);
        int pieces = 0;
        boolean begun = false;
        for (Iterator<AnswerStream.Delta> deltas = stream.deltas(); deltas.hasNext(); ) {
            AnswerStream.Delta delta = deltas.next();
            if (delta.channel() == AnswerStream.Channel.ANSWER) {
                begun |= printed;
                if (printed) {
                    output.piece(delta.text());
                }
                continue;
            }
            pieces++;
            if (draft) {
                output.asidePiece(delta.text());
            } else if (!begun) { // a status would overwrite the line that the answer is in
                output.status(found + "; writing: " + pieces + " pieces");
            }
        }
        if (draft && pieces > 0) {
            output.aside("");
        }
        if (begun) {
            output.endOfPieces();
            output.line("");
        }
    }

    /** Reports whether a model wrote the answer, and why it stopped. */
    static String writing(WritingAbility ability, Answer answer) {
        String writes = ability.writes() ? "writing: " : "quoting: ";
        return writes
                + ability.reason()
                + answer.stop()
                        .map(stop -> "; stopped: "
                                + switch (stop) {
                                    case ENDED -> "the model ended";
                                    case COMPLETE -> "the question is answered";
                                    case REPEATED -> "the model repeated itself";
                                    case UNSUPPORTED -> "two sentences in a row are not in the documents";
                                    case LENGTH -> "--max-tokens were written, or the context is full";
                                    case CANCELLED -> "cancelled";
                                })
                        .orElse("");
    }

    private static String found(List<Evidence> evidence) {
        return evidence.isEmpty()
                ? "nothing found"
                : evidence.stream()
                        .map(e -> Texts.place(e.origin(), e.location(), ""))
                        .collect(Collectors.joining(", ", "found ", ""));
    }

    /** Explains {@code minScore} for a twin's embedder, and compares the best evidence with it. */
    static String threshold(SimilarityScale scale, double minScore, Answer answer) {
        String best = answer.evidence().isEmpty()
                ? ""
                : String.format(
                        Locale.ROOT, "; best %.2f", answer.evidence().get(0).score());
        return "similarity: " + scale + "; refused below a score of " + String.format(Locale.ROOT, "%.2f", minScore)
                + best;
    }

    /** The text, its evidence, and the sentences left out of it. */
    static void print(Answer answer, Output output) {
        output.progress().erase();
        output.prose(answer.text());
        printReferences(answer, output);
    }

    /** The evidence of an answer, and the sentences left out of it. */
    static void printReferences(Answer answer, Output output) {
        if (!answer.citations().isEmpty()) {
            output.line("");
        }
        for (Citation citation : answer.citations()) {
            output.line("[" + citation.number() + "] "
                    + Texts.place(citation.origin(), citation.location(), citation.heading()));
            copies(citation.origin(), output);
            if (answer.kind() == Answer.Kind.WRITTEN) {
                output.quote(Texts.oneLine(citation.quote()));
            }
        }
        if (!answer.dropped().isEmpty()) {
            int count = answer.dropped().size();
            output.note(count + (count == 1 ? " sentence" : " sentences")
                    + " of the model left out, which the documents do not support; --json lists them");
        }
    }

    private static void copies(Origin origin, Output output) {
        if (!origin.copies().isEmpty()) {
            output.line(Texts.copies(origin));
        }
    }

    /** The evidence of an answer, with its scores. */
    static void sources(Answer answer, Output output) {
        if (answer.evidence().isEmpty()) {
            output.note("there is no evidence");
        }
        for (Evidence evidence : answer.evidence()) {
            output.line(String.format(Locale.ROOT, "[%d] %.2f  ", evidence.number(), evidence.score())
                    + Texts.place(evidence.origin(), evidence.location(), evidence.heading()));
            copies(evidence.origin(), output);
            output.quote(Texts.oneLine(evidence.quote()));
        }
    }

    /** The sentences left out of an answer, with reasons. */
    static void dropped(Answer answer, Output output) {
        if (answer.dropped().isEmpty()) {
            output.note("nothing was left out");
        }
        answer.dropped()
                .forEach(sentence -> output.line("\"" + Texts.oneLine(sentence.text()) + "\": " + sentence.reason()));
    }
}
