package dev.pollux.twin;

import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Usage;
import dev.pollux.internal.text.ShortText;
import java.util.List;
import java.util.Optional;

/**
 * The answer of a {@link Twin} with its evidence and provenance. <em>Immutable.</em>
 *
 * @param kind whether the text is written, quoted, or states that the documents do not answer
 * @param text the answer; {@code [n]} refers to the citation with number n
 * @param citations the sources of the text, by number; for {@link Kind#UNKNOWN} at most the nearest sentence
 * @param evidence the most relevant sentences of the documents, best first, numbered from 1; a citation with the same
 *     number is the same sentence
 * @param dropped sentences of the model that the documents do not support
 * @param groundedness (content words of the model's sentences that passed the check) / (content words of all its
 *     sentences), in [0, 1]; 1 if it wrote nothing, as with quotes
 * @param packing how many of the retrieved passages the model was given
 * @param finish why the model's generation ended; {@link FinishReason#CANCELLED} also if the twin ended it; empty if the
 *     model was not called
 * @param stop why the writing ended; empty if the model was not called
 * @param usage the model's token counts and durations; {@link Usage#NONE} if it was not called
 * @param notices messages for the reader on how the answer was found, one sentence each; for example, that the embedder
 *     does not read the question's language; usually empty
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
        /** The model ended by itself. */
        ENDED,
        /** The question is answered. */
        COMPLETE,
        /** The model repeated itself. */
        REPEATED,
        /** Two sentences in a row did not pass the check. */
        UNSUPPORTED,
        /** The model reached its token limit or the end of its context. */
        LENGTH,
        /** The reader cancelled. */
        CANCELLED
    }

    /** The origin of an answer's text. */
    public enum Kind {
        /** Sentences of the model, each checked against the documents. */
        WRITTEN,
        /** Sentences of the documents, verbatim. */
        QUOTED,
        /**
         * The documents do not answer, and the text says so. If they do not contain a word of the question at all, the text
         * names the word and may quote the nearest sentence with its citation. There is no evidence.
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
     * Returns the text as Markdown, followed by a list of its sources. Each source occurs once, with its numbers and a
     * link:
     *
     * <pre>{@code
     * The Argo was rowed by fifty heroes. [1]
     *
     * * \[1\] [boats.md, line 5](file:///home/ada/docs/boats.md#L5): Boats > Argo
     * }</pre>
     *
     * <p>The target of the link depends on {@link dev.pollux.retrieval.Origin#path()}: an absolute path becomes a
     * {@code file:} address, a relative path a relative link; an address is not changed.
     */
    public String toMarkdown() {
        return MarkdownReferences.below(text, citations);
    }

    /** Returns the kind, the beginning of the text and the number of citations, on one line. */
    @Override
    public String toString() {
        return "Answer[" + kind + ", " + ShortText.of(text) + ", " + ShortText.count(citations.size(), "citation")
                + (dropped.isEmpty() ? "" : ", " + ShortText.count(dropped.size(), "sentence") + " dropped") + "]";
    }
}
