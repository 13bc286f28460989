package dev.pollux.twin;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Usage;
import java.util.List;
import java.util.Optional;

/**
 * What a {@link Twin} says. <em>Immutable.</em>
 *
 * @param kind whether the text is written, quoted, or says that the twin does not know
 * @param text the answer; {@code [n]} in it stands for the citation of that number
 * @param citations what the text rests on, by number; empty where it is not known
 * @param evidence the sentences of the documents that bear best on the question, best first, numbered from 1; a citation
 *     of the same number is the same sentence
 * @param dropped what the model wrote and the documents do not support
 * @param groundedness of what the model wrote, the share that is in the passages it was given, in [0, 1], by content
 *     words: those of the sentences that passed the check over those of all; 1 where it wrote nothing, as with quotes
 * @param packing what of the retrieved passages the model was given
 * @param finish why the model stopped; empty where it was not asked
 * @param usage what the model's work cost; {@link Usage#NONE} where it was not asked
 */
public record Answer(
        Kind kind,
        String text,
        List<Citation> citations,
        List<Evidence> evidence,
        List<DroppedSentence> dropped,
        double groundedness,
        Packing packing,
        Optional<FinishReason> finish,
        Usage usage) {

    /** What an answer is made of. */
    public enum Kind {
        /** Sentences of the model, each checked against the documents. */
        WRITTEN,
        /** Sentences of the documents, verbatim. */
        QUOTED,
        /** Nothing relevant was found; the text says so. */
        UNKNOWN
    }

    public Answer {
        citations = List.copyOf(citations);
        evidence = List.copyOf(evidence);
        dropped = List.copyOf(dropped);
    }
}
