package dev.pollux.langchain4j;

import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;

/** Estimates of token counts for models whose tokenizer is not known. <em>Stateless, thread-safe.</em> */
final class TokenEstimate {

    /** A byte-pair encoding of English has about this many characters a token. */
    private static final int ASCII_A_TOKEN = 4;

    /** Role and separators of a message. */
    private static final int MESSAGE = 4;

    private TokenEstimate() {}

    /** One token for four ASCII characters or for one other character, rounded up. */
    static int of(String text) {
        int ascii = (int) text.chars().filter(c -> c < 128).count();
        return text.codePointCount(0, text.length()) - ascii + (ascii + ASCII_A_TOKEN - 1) / ASCII_A_TOKEN;
    }

    static int of(Prompt prompt) {
        if (prompt instanceof Prompt.Chat chat) {
            int messages = chat.messages().stream().mapToInt(TokenEstimate::of).sum();
            return messages
                    + chat.tools().stream()
                            .mapToInt(tool -> of(tool.name()) + of(tool.description()) + of(tool.parameters()))
                            .sum();
        }
        return of(((Prompt.Text) prompt).text());
    }

    private static int of(Message message) {
        return MESSAGE
                + of(message.content())
                + message.calls().stream()
                        .mapToInt(call -> of(call.name()) + of(call.arguments()))
                        .sum();
    }
}
