package dev.pollux.finetune.evaluate;

import dev.pollux.generation.Message;
import dev.pollux.twin.PassagePrompt;
import dev.pollux.twin.Persona;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A question, perhaps about a passage, with its right answers. <em>Immutable.</em>
 *
 * @param id a name, such as the number of the row
 * @param document what the passage is from; the name of questions without one is their own
 * @param passage what the model reads
 * @param question what is asked
 * @param answers any of them is right; empty if the question cannot be answered
 */
public record ReadingQuestion(
        String id, String document, Optional<String> passage, String question, List<String> answers) {

    /** What a model that is trained says if the passage does not answer the question. */
    public static final String UNKNOWN = "I do not know: this is not in the sources.";

    private static final PassagePrompt PROMPT = PassagePrompt.of(Persona.DEFAULT);

    public ReadingQuestion {
        answers = List.copyOf(answers);
    }

    /** Whether the question has an answer. */
    public boolean isAnswerable() {
        return !answers.isEmpty();
    }

    /** The prompt of a twin with the passage; without one, the question alone. */
    public List<Message> messages() {
        return passage.map(text -> PROMPT.messages(List.of(text), question))
                .orElseGet(() -> List.of(Message.user(question)));
    }

    /** The same as one text, for a model without a chat template. */
    public String text() {
        return passage.map(text -> PROMPT.text(List.of(text), question)).orElse("Question: " + question + "\nAnswer:");
    }

    /** The question as a further turn of a conversation about the same passage. */
    public Message followUp() {
        return Message.user(PROMPT.followUp(question));
    }

    /** What a model should say: the first answer with its source, or {@link #UNKNOWN}. */
    public String wanted() {
        if (answers.isEmpty()) {
            return UNKNOWN;
        }
        String answer = answers.get(0).strip();
        while (answer.endsWith(".")) {
            answer = answer.substring(0, answer.length() - 1);
        }
        String begin = answer.isEmpty() ? "" : answer.substring(0, answer.offsetByCodePoints(0, 1));
        return begin.toUpperCase(Locale.ROOT)
                + answer.substring(begin.length())
                + (passage.isPresent() ? " [1]." : ".");
    }

    /** The same question with a passage that does not answer it. */
    public ReadingQuestion about(String other) {
        return new ReadingQuestion(id + "/swapped", document, Optional.of(other), question, List.of());
    }

    /** Whether the words of an answer follow each other in a text. */
    public boolean isAnsweredIn(String text) {
        return answers.stream()
                .anyMatch(one -> AnswerScore.of(text, List.of(one)).contains() == 1);
    }

    /** Whether the words of the first answer follow each other in a text. */
    public boolean isFirstAnswerIn(String text) {
        return isAnswerable() && AnswerScore.of(text, answers.subList(0, 1)).contains() == 1;
    }
}
