package dev.pollux.twin;

import dev.pollux.generation.Prompt;
import dev.pollux.internal.text.Sentence;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A question with its evidence and prompt, prepared before the model writes. <em>Immutable.</em>
 *
 * @param finding the evidence, numbered from 1 in its order, or why there is none
 * @param packed the passages in the prompt
 * @param packing the number of passages in the prompt
 * @param prompt the prompt; absent if the model is not called
 */
record PreparedQuestion(Finding finding, List<TwinPrompt.Packed> packed, Packing packing, Optional<Prompt> prompt) {

    /** The separator of quotes in an answer. */
    static final String BETWEEN_QUOTES = "\n\n";

    PreparedQuestion {
        packed = List.copyOf(packed);
    }

    List<EvidenceFinder.Found> found() {
        return finding.found();
    }

    List<Evidence> evidence() {
        List<Evidence> evidence = new ArrayList<>();
        for (EvidenceFinder.Found f : found()) {
            Citation c = f.source().cite(evidence.size() + 1, f.line(), f.excerpt());
            evidence.add(new Evidence(
                    c.number(), c.origin(), c.heading(), c.location(), c.quote(), c.text(), c.date(), f.score()));
        }
        return evidence;
    }

    /** The evidence as text, one piece per quote; code keeps its lines. */
    List<String> quotes() {
        List<String> quotes = new ArrayList<>();
        for (EvidenceFinder.Found f : found()) {
            String text = f.excerpt().text();
            boolean code = f.line().range().kind() == Sentence.Kind.CODE && !text.contains("```\n");
            String shown = code ? "```\n" + text + "\n```" : text;
            String quote = shown + (shown.endsWith("```") ? "\n" : " ");
            quotes.add((quotes.isEmpty() ? "" : BETWEEN_QUOTES) + quote + "[" + (quotes.size() + 1) + "]");
        }
        return quotes;
    }
}
