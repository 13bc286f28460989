package dev.pollux.twin;

import dev.pollux.generation.Message;
import dev.pollux.internal.text.SmallTalk;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A sequence of questions and answers.
 *
 * <p>The model sees the most recent turns that fit into {@link TwinOptions#historyShare()} of the prompt's token budget.
 * Turns are never split, and citation marks are removed. The conversation keeps the last {@value #MOST_TURNS} turns.
 *
 * <p>Retrieval needs a self-contained question. A question with fewer than {@value #FEWEST_WORDS} content words, or with a
 * word that refers back (<em>it</em>, <em>they</em>, <em>this</em>), is therefore extended by the content words of the
 * previous self-contained question. After <em>What does the annual pass cost?</em>, <em>When does it expire?</em> is
 * extended; <em>When does the museum open?</em> is not. Thanks, greetings and assent are not questions: they get a short
 * reply without evidence.
 *
 * <p><em>Not thread-safe: one thread at a time.</em>
 */
public final class Conversation {

    /** Maximum number of turns that a conversation keeps. */
    public static final int MOST_TURNS = 32;

    /** A question with fewer content words is extended by the previous one. */
    static final int FEWEST_WORDS = 2;

    private static final String NO_QUESTION = "You are welcome. Ask me anything about the documents.";

    /** Bounds the words carried along a chain of follow-up questions. */
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
     * @return the complete answer
     * @throws IllegalArgumentException if the question is blank
     */
    public Answer ask(String question) {
        try (AnswerStream stream = stream(question)) {
            return stream.result();
        }
    }

    /**
     * Starts the next answer. The turn becomes part of the history when its {@link AnswerStream#result()} is first
     * requested.
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

    /** Returns the turns so far, oldest first; each turn is a user message and the answer without citation marks. */
    public List<Message> history() {
        return List.copyOf(history);
    }

    /** The question, extended by the words that it refers to. */
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
        history.add(
                Message.assistant(TwinPrompt.defused(CitationMarkers.of(answer).text())));
        if (history.size() > 2 * MOST_TURNS) {
            history.subList(0, 2).clear();
        }
    }
}
