package dev.pollux.twin;

import java.util.List;
import java.util.Optional;

/**
 * The result of the evidence search for a question. <em>Immutable.</em>
 *
 * @param found the evidence, best first; empty if the documents do not answer
 * @param missing required words of the question that the documents do not contain, as written in the question
 * @param nearest the nearest sentence to a question that is unanswered because of {@code missing}
 * @param notices messages for {@link Answer#notices()}
 * @param reply the reply to a text that is not a question; empty for a question
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

    /** The finding for a text that is not a question. */
    static Finding ofReply(String reply) {
        return new Finding(List.of(), List.of(), Optional.empty(), List.of(), reply);
    }

    /** The text if nothing is found: {@code plain}, or the missing words and the nearest sentence as [1]. */
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

    /** The nearest sentence as a citation if the text quotes it. */
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
