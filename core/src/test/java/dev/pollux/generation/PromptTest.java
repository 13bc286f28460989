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
    void callsAndTheirResultsArePartsOfMessages() {
        ToolCall call = new ToolCall("call_1", "weather", "{\"city\": \"Paris\"}");
        Generation generation = new Generation(
                "Let me see.", "Which city?", List.of(1), FinishReason.END_OF_TEXT, Usage.NONE, List.of(call));
        assertThat(Message.assistant(generation))
                .isEqualTo(new Message("assistant", "Let me see.", "Which city?", List.of(call)));
        assertThat(Message.calling(call)).isEqualTo(new Message("assistant", "", "", List.of(call)));
        assertThat(Message.tool(call, "18")).isEqualTo(new Message("tool", "18", "", List.of(call)));
        assertThat(Message.user("Why?").calls()).isEmpty();
        Tool tool = new Tool("weather", "Tells the weather.", " {} ");
        Prompt prompt = Prompt.chat(List.of(Message.user("Is it warm?")), List.of(tool));
        assertThat(((Prompt.Chat) prompt).tools()).containsExactly(tool);
        assertThat(((Prompt.Chat) Prompt.chat(Message.user("Why?"))).tools()).isEmpty();
    }

    @Test
    void aCallHasANameAndAnObject() {
        assertThat(ToolCall.of("weather", "{}")).isEqualTo(new ToolCall("", "weather", "{}"));
        assertThatThrownBy(() -> ToolCall.of(" ", "{}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("name must not be blank; give the name of a function");
        assertThatThrownBy(() -> ToolCall.of("weather", "{\"city\": \"Par"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("arguments must be a JSON object but was '{\"city\": \"Par'; write {} for none");
        assertThatThrownBy(() -> new Tool("weather", "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("parameters must be a JSON object but was ''; write {} for none");
    }

    @Test
    void aDeltaAddsToOneChannelOrIsACall() {
        Delta text = Delta.of(Channel.REASONING, "hm");
        assertThat(text.text(Channel.REASONING)).isEqualTo("hm");
        assertThat(text.text(Channel.ANSWER)).isEmpty();
        Delta call = new Delta.Call(ToolCall.of("weather", "{}"));
        assertThat(List.of(call.text(Channel.REASONING), call.text(Channel.ANSWER)))
                .containsExactly("", "");
        assertThatThrownBy(() -> Delta.of(Channel.ANSWER, ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("text must not be empty");
    }

    @Test
    void aModelReadsAtLeastOneToken() {
        assertThatThrownBy(() -> new GeneratorInfo("none", 0, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("contextLength must be at least 1 but was 0");
    }

    @Test
    void usageAddsUpAndKeepsTheLongerLoad() {
        Usage first = new Usage(10, 7, 2, 4, 1, Duration.ofMillis(5), Duration.ofMillis(7), Duration.ofMillis(9));
        Usage second = new Usage(1, 1, 3, 2, 2, Duration.ofMillis(4), Duration.ofMillis(1), Duration.ofMillis(1));
        Usage sum = new Usage(11, 8, 5, 6, 3, Duration.ofMillis(5), Duration.ofMillis(8), Duration.ofMillis(10));
        assertThat(first.plus(second)).isEqualTo(sum).isEqualTo(second.plus(first));
        assertThat(first.plus(Usage.NONE)).isEqualTo(first);
        assertThatThrownBy(() -> new Usage(-1, 0, 0, 0, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token counts must be at least 0 but were -1 and 0");
        assertThatThrownBy(() -> new Usage(1, 0, 1, 2, 3, Duration.ZERO, Duration.ZERO, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("acceptedTokens must be in [0, draftedTokens] with draftedTokens 2 but was 3");
    }
}
