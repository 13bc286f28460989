package dev.pollux.inference.engine;

import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A prompt that fits a context.
 *
 * @param encoded its tokens
 * @param dropped the messages that were left out
 */
record FittedPrompt(PromptEncoder.Encoded encoded, List<Message> dropped) {

    /**
     * Leaves out the oldest messages of a conversation.
     *
     * @param room the most tokens that the prompt may have
     * @param encoder encodes a prompt
     * @return the whole prompt where it fits, or where leaving out does not help
     */
    static FittedPrompt of(Prompt prompt, int room, Function<Prompt, PromptEncoder.Encoded> encoder) {
        PromptEncoder.Encoded whole = encoder.apply(prompt);
        if (whole.tokens().length <= room || !(prompt instanceof Prompt.Chat chat)) {
            return new FittedPrompt(whole, List.of());
        }
        List<Message> kept = new ArrayList<>(chat.messages());
        List<Message> dropped = new ArrayList<>();
        while (drop(kept, dropped)) {
            PromptEncoder.Encoded rest = encoder.apply(new Prompt.Chat(kept, chat.tools()));
            if (rest.tokens().length <= room) {
                return new FittedPrompt(rest, List.copyOf(dropped));
            }
        }
        return new FittedPrompt(whole, List.of());
    }

    /** Moves the oldest message of a user, with what followed up to the next one. False if only the last turn is left. */
    private static boolean drop(List<Message> kept, List<Message> dropped) {
        int first = 0;
        while (first < kept.size() && kept.get(first).role().equals("system")) {
            first++;
        }
        int end = first + 1;
        while (end < kept.size() && !kept.get(end).role().equals("user")) {
            end++;
        }
        if (end >= kept.size()) {
            return false;
        }
        List<Message> turn = kept.subList(first, end);
        dropped.addAll(turn);
        turn.clear();
        return true;
    }
}
