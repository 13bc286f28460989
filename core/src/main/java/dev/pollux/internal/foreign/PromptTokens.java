package dev.pollux.internal.foreign;

import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.internal.TokenEstimate;

/** Estimates of the tokens of prompts. <em>Stateless, thread-safe.</em> */
final class PromptTokens {

    /** Role and separators of a message. */
    private static final int MESSAGE = 4;

    private PromptTokens() {}

    static int of(Prompt prompt) {
        if (prompt instanceof Prompt.Chat chat) {
            int messages = chat.messages().stream().mapToInt(PromptTokens::of).sum();
            return messages
                    + chat.tools().stream()
                            .mapToInt(tool -> TokenEstimate.of(tool.name())
                                    + TokenEstimate.of(tool.description())
                                    + TokenEstimate.of(tool.parameters()))
                            .sum();
        }
        return TokenEstimate.of(((Prompt.Text) prompt).text());
    }

    private static int of(Message message) {
        return MESSAGE
                + TokenEstimate.of(message.content())
                + message.calls().stream()
                        .mapToInt(call -> TokenEstimate.of(call.name()) + TokenEstimate.of(call.arguments()))
                        .sum();
    }
}
