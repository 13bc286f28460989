package dev.pollux.twin;

import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Selects passages for a prompt: as many whole passages as fit, the next one truncated between sentences, no others.
 * <em>Thread-safe.</em>
 */
final class Packer {

    /*
     * Greedy in the order of the passages; the first one that does not fit is truncated and ends the prompt.
     *
     * Truncation is a binary search over the end line, with the invariant that lines [from, low) fit. It assumes that the
     * token count grows with the number of lines. The first attempt starts at the passage's start. If it does not include
     * the best line, the second attempt starts at that line.
     */

    /**
     * A passage to pack.
     *
     * @param number its number in the prompt
     * @param best index of the sentence to keep first if the passage is truncated; without evidence its first sentence
     */
    record Numbered(int number, EvidencePassage source, int best) {}

    private final Generator generator;
    private final TwinPrompt prompt;
    private final int room;

    /** @param room maximum number of prompt tokens */
    Packer(Generator generator, TwinPrompt prompt, int room) {
        this.generator = generator;
        this.prompt = prompt;
        this.room = room;
    }

    /** The passages that fit with history and question; empty if not even one sentence fits. */
    List<TwinPrompt.Packed> pack(List<Numbered> passages, List<Message> history, String question) {
        List<TwinPrompt.Packed> all = passages.stream().map(Packer::whole).toList();
        if (fits(all, history, question)) {
            return all; // the usual case, which costs one count of tokens
        }
        List<TwinPrompt.Packed> packed = new ArrayList<>();
        for (Numbered passage : passages) {
            packed.add(whole(passage));
            if (!fits(packed, history, question)) {
                packed.remove(packed.size() - 1);
                cut(passage, packed, history, question).ifPresent(packed::add);
                break;
            }
        }
        return packed;
    }

    /** The most recent turns that take at most {@code most} tokens in addition to the question. */
    List<Message> recent(List<Message> history, String question, int most) {
        int alone = generator.countTokens(prompt.of(List.of(), List.of(), question));
        for (int from = 0; from < history.size(); from += 2) { // a turn is a question and its answer
            List<Message> tail = history.subList(from, history.size());
            if (generator.countTokens(prompt.of(List.of(), tail, question)) - alone <= most) {
                return List.copyOf(tail);
            }
        }
        return List.of();
    }

    int room() {
        return room;
    }

    private Optional<TwinPrompt.Packed> cut(
            Numbered passage, List<TwinPrompt.Packed> before, List<Message> history, String question) {
        int lines = passage.source().lines().size();
        for (int from : passage.best() == 0 ? new int[] {0} : new int[] {0, passage.best()}) {
            int low = from; // lines [from, low) fit
            for (int high = lines; low < high; ) {
                int middle = (low + high + 1) >>> 1;
                List<TwinPrompt.Packed> tried = new ArrayList<>(before);
                tried.add(part(passage, from, middle));
                if (fits(tried, history, question)) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            if (low > passage.best()) {
                return Optional.of(part(passage, from, low));
            }
        }
        return Optional.empty();
    }

    private static TwinPrompt.Packed whole(Numbered passage) {
        int length = passage.source().passage().text().length();
        return new TwinPrompt.Packed(passage.number(), passage.source(), 0, length);
    }

    private static TwinPrompt.Packed part(Numbered passage, int from, int to) {
        List<SentenceSpan> lines = passage.source().lines();
        return new TwinPrompt.Packed(
                passage.number(),
                passage.source(),
                lines.get(from).range().start(),
                lines.get(to - 1).range().end());
    }

    private boolean fits(List<TwinPrompt.Packed> packed, List<Message> history, String question) {
        return generator.countTokens(prompt.of(packed, history, question)) <= room;
    }
}
