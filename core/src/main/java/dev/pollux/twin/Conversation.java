package dev.pollux.twin;

import dev.pollux.generation.Message;
import dev.pollux.internal.text.SmallTalk;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Questions and answers in a row.
 *
 * <p>The model sees the most recent turns that fit {@link TwinOptions#historyShare()} of its room for the prompt, whole
 * turns only, without citation marks; the last {@value #MOST_TURNS} turns are kept. For retrieval and evidence a question
 * must stand on its own: one with fewer than {@value #FEWEST_WORDS} content words, or with a word that points back (such
 * as <em>it</em>, <em>they</em>, <em>this</em>), is joined by the content words of the question before it, as that was
 * understood itself. Thanks, greetings and assent ask nothing: they are answered with a word and without evidence.
 *
 * <p><em>Not thread-safe: one thread at a time.</em>
 */
public final class Conversation {

    /** Turns kept. */
    public static final int MOST_TURNS = 32;

    /** A question with fewer content words leans on the one before. */
    static final int FEWEST_WORDS = 2;

    private static final String NO_QUESTION = "You are welcome. Ask me anything about the documents.";

    /** So that a chain of follow-ups does not grow without end. */
    private static final int MOST_CARRIED = 12;

    private static final Set<String> POINTING =
            Set.of(("it its they them their theirs this that these those he him his she"
                            + " her hers there one ones former latter both same such")
                    .split(" "));

    private final Twin twin;
    private final List<Message> history = new ArrayList<>();
    private String subject = "";

    Conversation(Twin twin) {
        this.twin = twin;
    }

    /**
     * Answers the next question.
     *
     * @throws IllegalArgumentException if the question is blank
     */
    public Answer ask(String question) {
        try (AnswerStream stream = stream(question)) {
            return stream.result();
        }
    }

    /**
     * Begins the next answer; the turn is remembered when its {@link AnswerStream#result()} has been asked for.
     *
     * @throws IllegalArgumentException if the question is blank
     */
    public AnswerStream stream(String question) {
        if (SmallTalk.is(question)) {
            return twin.reply(NO_QUESTION, answer -> remember(question, answer.text()));
        }
        String standalone = standalone(question);
        return twin.stream(question, standalone, List.copyOf(history), answer -> {
            subject = standalone;
            remember(question, answer.text());
        });
    }

    /** The turns so far, oldest first: each a user's message and the answer without citation marks. */
    public List<Message> history() {
        return List.copyOf(history);
    }

    /** The question with what it leans on. */
    String standalone(String question) {
        boolean points = Words.of(question).stream()
                .anyMatch(word -> POINTING.contains(word.text().toLowerCase(Locale.ROOT)));
        Set<String> own = Words.questionStems(question);
        if (subject.isEmpty() || own.size() >= FEWEST_WORDS && !points) {
            return question;
        }
        StringBuilder whole = new StringBuilder(question);
        int carried = 0;
        for (Words.Word word : Words.of(subject)) {
            if (word.content() && carried < MOST_CARRIED && own.add(word.stem())) {
                whole.append(' ').append(word.text());
                carried++;
            }
        }
        return whole.toString();
    }

    private void remember(String question, String answer) {
        history.add(Message.user(TwinPrompt.defused(question)));
        history.add(Message.assistant(TwinPrompt.defused(Marks.of(answer).text())));
        if (history.size() > 2 * MOST_TURNS) {
            history.subList(0, 2).clear();
        }
    }
}
