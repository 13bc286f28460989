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

    /** What is left out is a multiple of this share of the room, as nearly as turns allow. */
    private static final int SHARES = 4;

    /**
     * Leaves out the oldest messages of a conversation: somewhat more than needed, so that the next turns leave out the same ones, and
     * their prompts begin like this one.
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
        int share = Math.max(1, room / SHARES);
        int due = (whole.tokens().length - room + share - 1) / share * share; // tokens to leave out
        List<Message> kept = new ArrayList<>(chat.messages());
        List<Message> dropped = new ArrayList<>();
        FittedPrompt fitted = new FittedPrompt(whole, List.of());
        while (drop(kept, dropped)) {
            PromptEncoder.Encoded rest = encoder.apply(new Prompt.Chat(kept, chat.tools()));
            if (rest.tokens().length <= room) {
                fitted = new FittedPrompt(rest, List.copyOf(dropped));
                if (whole.tokens().length - rest.tokens().length >= due) {
                    return fitted;
                }
            }
        }
        return fitted;
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
