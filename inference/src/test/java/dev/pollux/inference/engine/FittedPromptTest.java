package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which messages are left out, with an encoder that makes one token of each letter. */
class FittedPromptTest {

    private static final Message SYSTEM = Message.system("ssss");
    private static final Message LAST = Message.user("uuu");

    private static FittedPrompt fit(int room, Prompt prompt) {
        return FittedPrompt.of(prompt, room, one -> {
            int letters = one instanceof Prompt.Chat chat
                    ? chat.messages().stream()
                            .mapToInt(message -> message.content().length())
                            .sum()
                    : ((Prompt.Text) one).text().length();
            return new PromptEncoder.Encoded(new int[letters], null); // channels are not looked at
        });
    }

    private static final List<Message> CONVERSATION = List.of(
            SYSTEM,
            Message.user("first"),
            Message.assistant("a1"),
            Message.user("second"),
            Message.assistant("a2"),
            LAST);

    private static Prompt conversation() {
        return new Prompt.Chat(CONVERSATION, List.of());
    }

    @Test
    void whatFitsIsLeftAsItIs() {
        FittedPrompt fitted = fit(22, conversation());
        assertThat(fitted.encoded().tokens()).hasSize(22);
        assertThat(fitted.dropped()).isEmpty();
    }

    @Test
    void theOldestTurnsGoFirstAndTheSystemsMessagesStay() {
        assertThat(fit(21, conversation()).dropped()).isEqualTo(CONVERSATION.subList(1, 3));
        assertThat(fit(21, conversation()).encoded().tokens()).hasSize(15);
        assertThat(fit(14, conversation()).dropped()).isEqualTo(CONVERSATION.subList(1, 5));
        assertThat(fit(7, conversation()).encoded().tokens()).hasSize(7);
    }

    @Test
    void whatDoesNotFitEvenThenStaysWholeToBeRefused() {
        assertThat(fit(6, conversation()).encoded().tokens()).hasSize(22);
        assertThat(fit(6, conversation()).dropped()).isEmpty();
        assertThat(fit(3, Prompt.text("four")).encoded().tokens()).hasSize(4);
    }

    /** Turns of equal length in a room of twenty: a turn that begins anew leaves out a quarter, and the next ones the same. */
    @Test
    void severalTurnsInARowLeaveOutTheSame() {
        List<Message> messages = new ArrayList<>();
        List<Integer> dropped = new ArrayList<>();
        for (int turn = 0; turn < 60; turn++) {
            messages.add(Message.user("q"));
            dropped.add(fit(20, new Prompt.Chat(List.copyOf(messages), List.of()))
                    .dropped()
                    .size());
            messages.add(Message.assistant("a"));
        }
        assertThat(dropped).isSorted().startsWith(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 6, 6, 10, 10, 16, 16, 16, 20);
        assertThat(dropped.stream().distinct().count()).isLessThan(25);
    }
}
