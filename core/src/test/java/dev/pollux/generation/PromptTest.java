package dev.pollux.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptTest {

    @Test
    void aConversationHoldsAtLeastOneMessage() {
        assertThat(Prompt.chat(Message.system("Be brief."), Message.user("Why?")))
                .isEqualTo(Prompt.chat(List.of(new Message("system", "Be brief."), new Message("user", "Why?"))));
        assertThatThrownBy(() -> Prompt.chat(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("messages must hold at least one message but was empty");
    }

    @Test
    void aMessageHasARole() {
        assertThat(Message.assistant("Because.").role()).isEqualTo("assistant");
        assertThatThrownBy(() -> new Message(" ", "Hello"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("role must not be blank but was ' '; use system, user, assistant or tool");
    }

    @Test
    void aModelReadsAtLeastOneToken() {
        assertThatThrownBy(() -> new GeneratorInfo("none", 0, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("contextLength must be at least 1 but was 0");
    }

    @Test
    void usageAddsUpAndKeepsTheLongerLoad() {
        Usage first = new Usage(10, 2, Duration.ofMillis(5), Duration.ofMillis(7), Duration.ofMillis(9));
        Usage second = new Usage(1, 3, Duration.ofMillis(4), Duration.ofMillis(1), Duration.ofMillis(1));
        Usage sum = new Usage(11, 5, Duration.ofMillis(5), Duration.ofMillis(8), Duration.ofMillis(10));
        assertThat(first.plus(second)).isEqualTo(sum).isEqualTo(second.plus(first));
        assertThat(first.plus(Usage.NONE)).isEqualTo(first);
        assertThatThrownBy(() -> new Usage(-1, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token counts must be at least 0 but were -1 and 0");
    }
}
