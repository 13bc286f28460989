package dev.pollux.twin;

import java.util.List;
import java.util.Optional;

/**
 * What was found for a question. <em>Immutable.</em>
 *
 * @param found the evidence, best first; empty where the documents do not answer
 * @param missing words of the question, as it has them, that the documents do not mention and without which they cannot
 *     answer
 * @param nearest the sentence nearest to a question that is not answered for what is missing
 * @param notices for {@link Answer#notices()}
 * @param reply what to say to a text that asks nothing; empty where it asks
 */
record Finding(
        List<EvidenceFinder.Found> found,
        List<String> missing,
        Optional<EvidenceFinder.Found> nearest,
        List<String> notices,
        String reply) {

    Finding {
        found = List.copyOf(found);
        missing = List.copyOf(missing);
        notices = List.copyOf(notices);
    }

    /** Nothing was asked. */
    static Finding ofReply(String reply) {
        return new Finding(List.of(), List.of(), Optional.empty(), List.of(), reply);
    }

    /** What to say where nothing is found: that in {@code plain}, or what is missing and the nearest sentence as [1]. */
    String unknownText(String plain) {
        if (missing.isEmpty()) {
            return reply.isEmpty() ? plain : reply;
        }
        String words = String.join(
                ", ", missing.stream().map(word -> "\u201c" + word + "\u201d").toList());
        String said = "I do not know: the documents do not mention " + words + ".";
        return nearest.map(found -> said + "\nNearest: \u201c" + quote(found) + "\u201d [1]")
                .orElse(said);
    }

    /** The nearest sentence as a citation, where the text shows it. */
    List<Citation> citations() {
        return missing.isEmpty()
                ? List.of()
                : nearest.map(found -> found.source().cite(1, found.line())).stream()
                        .toList();
    }

    private static String quote(EvidenceFinder.Found found) {
        return found.line().text().strip();
    }
}
