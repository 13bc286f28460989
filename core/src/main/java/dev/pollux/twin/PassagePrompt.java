package dev.pollux.twin;

import dev.pollux.generation.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * The prompt that a twin gives to its model, for passages that are known: to train a model on such prompts, or to measure it.
 * <em>Immutable.</em>
 *
 * <p>Text of passages and questions that resembles a mark or a citation is escaped, as in a twin.
 */
public final class PassagePrompt {

    private final Persona persona;

    private PassagePrompt(Persona persona) {
        this.persona = persona;
    }

    /** The prompts of a persona. */
    public static PassagePrompt of(Persona persona) {
        return new PassagePrompt(persona);
    }

    /**
     * A conversation that begins with the rules, and asks a question about passages.
     *
     * @param passages numbered from 1 in this order
     */
    public List<Message> messages(List<String> passages, String question) {
        return List.of(Message.system(TwinPrompt.system(persona)), Message.user(blocks(passages) + followUp(question)));
    }

    /** The same as one text, for a model without a chat template; its answer follows. */
    public String text(List<String> passages, String question) {
        List<String> parts = new ArrayList<>();
        messages(passages, question).forEach(message -> parts.add(message.content()));
        return String.join("\n\n", parts) + "\nAnswer:";
    }

    /** What a user says to ask a further question about the passages of an earlier turn. */
    public String followUp(String question) {
        return TwinPrompt.asked(question);
    }

    private static String blocks(List<String> passages) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < passages.size(); i++) {
            text.append(TwinPrompt.block(i + 1, "", passages.get(i)));
        }
        return text.toString();
    }
}
