package dev.pollux.twin;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Usage;
import dev.pollux.internal.text.ShortText;
import java.util.List;
import java.util.Optional;

/**
 * What a {@link Twin} says. <em>Immutable.</em>
 *
 * @param kind whether the text is written, quoted, or says that the twin does not know
 * @param text the answer; {@code [n]} in it stands for the citation of that number
 * @param citations what the text rests on, by number; the nearest sentence at most where it is not known
 * @param evidence the sentences of the documents that bear best on the question, best first, numbered from 1; a citation
 *     of the same number is the same sentence
 * @param dropped what the model wrote and the documents do not support
 * @param groundedness of what the model wrote, the share that is in the passages it was given, in [0, 1], by content
 *     words: those of the sentences that passed the check over those of all; 1 where it wrote nothing, as with quotes
 * @param packing what of the retrieved passages the model was given
 * @param finish why the model's generation ended, {@link FinishReason#CANCELLED} also where the twin ended it; empty where it was
 *     not asked
 * @param stop why the writing ended; empty where the model was not asked
 * @param usage what the model's work cost; {@link Usage#NONE} where it was not asked
 * @param notices what its reader should know of how it was found, a sentence each, such as that the question is in a
 *     language which the embedder does not read; mostly empty
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
        Optional<Stop> stop,
        Usage usage,
        List<String> notices) {

    /** Why the writing ended. */
    public enum Stop {
        /** The model came to its own end. */
        ENDED,
        /** The question was answered. */
        COMPLETE,
        /** The model repeated itself. */
        REPEATED,
        /** Two sentences in a row did not pass the check. */
        UNSUPPORTED,
        /** The model had written as much as it may, or its context was full. */
        LENGTH,
        /** It was cancelled. */
        CANCELLED
    }

    /** What an answer is made of. */
    public enum Kind {
        /** Sentences of the model, each checked against the documents. */
        WRITTEN,
        /** Sentences of the documents, verbatim. */
        QUOTED,
        /**
         * The documents do not say it, and the text says so. Where they do not even mention a word of the question, the text
         * names the word and may quote the nearest sentence, as such and with its citation; there is no evidence.
         */
        UNKNOWN
    }

    public Answer {
        citations = List.copyOf(citations);
        evidence = List.copyOf(evidence);
        dropped = List.copyOf(dropped);
        notices = List.copyOf(notices);
    }

    /**
     * The text as Markdown, and below it each place that it rests on, once, with its numbers and a link:
     *
     * <pre>{@code
     * The Argo was rowed by fifty heroes. [1]
     *
     * * \[1\] [boats.md, line 5](file:///home/ada/docs/boats.md#L5): Boats > Argo
     * }</pre>
     *
     * A link leads to {@link dev.pollux.retrieval.Origin#path()}: of an absolute path it is a {@code file:} address, of a
     * relative one a relative link, and an address stays as it is.
     */
    public String toMarkdown() {
        return MarkdownReferences.below(text, citations);
    }

    /** The kind, the beginning of the text and the number of citations, on one line. */
    @Override
    public String toString() {
        return "Answer[" + kind + ", " + ShortText.of(text) + ", " + ShortText.count(citations.size(), "citation")
                + (dropped.isEmpty() ? "" : ", " + ShortText.count(dropped.size(), "sentence") + " dropped") + "]";
    }
}
