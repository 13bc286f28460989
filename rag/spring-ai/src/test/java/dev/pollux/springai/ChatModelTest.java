package dev.pollux.springai;

import static dev.pollux.testkit.ScriptedGenerator.answer;
import static dev.pollux.testkit.ScriptedGenerator.call;
import static dev.pollux.testkit.ScriptedGenerator.thought;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ScriptedGenerator;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.tool.annotation.ToolParam;
import org.springframework.util.MimeTypeUtils;
import reactor.core.publisher.BaseSubscriber;

@NoLeaks
class ChatModelTest {

    @Test
    void aQuestionIsAnsweredWithUsageAndReason() {
        try (FakeGenerator generator = FakeGenerator.saying("In Husum.")) {
            ChatResponse response = ToSpringAi.chatModel(generator)
                    .call(new Prompt(new SystemMessage("Be brief."), new UserMessage("Where is the boat?")));

            assertThat(response.getResult().getOutput().getText()).isEqualTo("In Husum.");
            assertThat(response.getResult().getMetadata().getFinishReason()).isEqualTo("STOP");
            assertThat(response.getMetadata().getModel()).isEqualTo("fake");
            assertThat(response.getMetadata().getUsage().getPromptTokens())
                    .isEqualTo(generator.countTokens(generator.prompts().get(0)));
            assertThat(response.getMetadata().getUsage().getCompletionTokens()).isEqualTo(3);
            assertThat(generator.prompts())
                    .containsExactly(dev.pollux.generation.Prompt.chat(
                            Message.system("Be brief."), Message.user("Where is the boat?")));
        }
    }

    @Test
    void theOptionsOfAPromptReplaceThoseOfTheModel() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> List.of(answer("x")));
        GenerationOptions options =
                GenerationOptions.builder().temperature(0.3).minP(0.1).seed(4).build();
        ChatModel model = ToSpringAi.chatModel(generator, options);

        model.call(new Prompt("x"));
        model.call(new Prompt(
                "x",
                ChatOptions.builder()
                        .temperature(0.9)
                        .topP(0.8)
                        .topK(20)
                        .frequencyPenalty(0.5)
                        .presencePenalty(0.4)
                        .maxTokens(5)
                        .stopSequences(List.of("END"))
                        .build()));

        assertThat(generator.options())
                .containsExactly(
                        options,
                        options.toBuilder()
                                .temperature(0.9)
                                .topP(0.8)
                                .topK(20)
                                .frequencyPenalty(0.5)
                                .presencePenalty(0.4)
                                .maxTokens(5)
                                .stop("END")
                                .build());
        assertThat(model.getOptions().getTemperature()).isEqualTo(0.3);
        assertThat(model.getOptions().getMaxTokens()).isEqualTo(512);
    }

    @Test
    void aResultOfAToolKnowsItsCall() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> List.of(answer("At nine.")));
        ToolCall call = new ToolCall("c1", "tide", "{\"place\":\"Husum\"}");

        ToSpringAi.chatModel(generator)
                .call(new Prompt(
                        new UserMessage("Tide?"),
                        AssistantMessage.builder()
                                .content("")
                                .toolCalls(List.of(new AssistantMessage.ToolCall(
                                        "c1", "function", "tide", "{\"place\":\"Husum\"}")))
                                .build(),
                        ToolResponseMessage.builder()
                                .responses(List.of(new ToolResponseMessage.ToolResponse("c1", "tide", "9:00")))
                                .build()));

        assertThat(generator.prompts())
                .containsExactly(dev.pollux.generation.Prompt.chat(
                        Message.user("Tide?"), Message.calling(call), Message.tool(call, "9:00")));
    }

    @Test
    void whatPolluxDoesNotHaveIsRefused() {
        ChatModel model = ToSpringAi.chatModel(ScriptedGenerator.of(prompt -> List.of(answer("x"))));

        assertThatThrownBy(() -> model.call(new Prompt(UserMessage.builder()
                        .text("x")
                        .media(new Media(MimeTypeUtils.IMAGE_PNG, URI.create("http://example.org/x.png")))
                        .build())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Pollux reads messages of text but was given media of type image/png");
        assertThatThrownBy(() -> model.call(
                        new Prompt("x", ChatOptions.builder().model("other").build())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The model must be scripted but was other; open a generator for each model");
        try (FakeGenerator plain = FakeGenerator.withoutChat(prompt -> "there was")) {
            assertThat(ToSpringAi.chatModel(plain).call("Once upon a time")).isEqualTo("there was");
            assertThatThrownBy(() ->
                            ToSpringAi.chatModel(plain).call(new Prompt(new SystemMessage("x"), new UserMessage("y"))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Model fake does not chat: a prompt must be one user message without tools but had 2"
                            + " messages and 0 tools");
        }
    }

    @Test
    void aStreamGivesDeltasAndThenTheRest() {
        ScriptedGenerator generator = ScriptedGenerator.of(
                prompt -> List.of(thought("Hm."), answer("At "), answer("nine."), call("", "note", "{}")));

        List<ChatResponse> responses = ToSpringAi.chatModel(generator).stream(new Prompt("x"))
                .collectList()
                .block();

        assertThat(responses)
                .extracting(response -> response.getResult().getOutput().getText())
                .containsExactly("At ", "nine.", "");
        ChatResponse last = responses.get(2);
        assertThat(last.getResult().getMetadata().getFinishReason()).isEqualTo("TOOL_CALLS");
        assertThat(last.getResult().getOutput().getMetadata()).containsEntry("reasoning", "Hm.");
        assertThat(last.getResult().getOutput().getToolCalls())
                .containsExactly(new AssistantMessage.ToolCall("", "function", "note", "{}"));
        assertThat(last.getMetadata().getUsage().getPromptTokens()).isEqualTo(7);
    }

    @Test
    void aStreamIsColdAndComputesOnDemand() {
        List<String> made = new ArrayList<>();
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> {
            made.add("started");
            return List.of(answer("one "), answer("two "), answer("three"));
        });
        var stream = ToSpringAi.chatModel(generator).stream(new Prompt("x"));
        assertThat(made).isEmpty();

        assertThat(stream.take(2)
                        .map(response -> response.getResult().getOutput().getText())
                        .collectList()
                        .block())
                .containsExactly("one ", "two ");
        assertThat(stream.collectList().block()).hasSize(4);
        assertThat(made).hasSize(2);
    }

    @Test
    void cancellingTheSubscriptionClosesTheGeneration() throws InterruptedException {
        CountDownLatch first = new CountDownLatch(1);
        try (FakeGenerator generator = FakeGenerator.saying("word ".repeat(2_000))) {
            BaseSubscriber<ChatResponse> subscriber = new BaseSubscriber<>() {
                @Override
                protected void hookOnSubscribe(Subscription subscription) {
                    request(1);
                }

                @Override
                protected void hookOnNext(ChatResponse response) {
                    first.countDown();
                }
            };
            ToSpringAi.chatModel(generator).stream(new Prompt("x")).subscribe(subscriber);
            first.await();
            subscriber.cancel();
            assertThat(subscriber.isDisposed()).isTrue();
        }
    }

    @Test
    void anErrorOfTheModelEndsTheStream() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> {
            throw new IllegalStateException("broken");
        });

        assertThatThrownBy(() -> ToSpringAi.chatModel(generator).stream(new Prompt("x"))
                        .collectList()
                        .block())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("broken");
    }

    /** Tools of the host. */
    static final class Harbour {
        @org.springframework.ai.tool.annotation.Tool(description = "time of high tide")
        String tide(@ToolParam(description = "name of the harbour") String place) {
            return "9:00 in " + place;
        }
    }

    @Test
    void aChatClientCallsTools() {
        ScriptedGenerator generator = tides();
        String text = ChatClient.create(ToSpringAi.chatModel(generator))
                .prompt("When is high tide?")
                .tools(new Harbour())
                .call()
                .content();

        assertThat(text).isEqualTo("High tide is at \"9:00 in Husum\".");
        Tool tool = ((dev.pollux.generation.Prompt.Chat) generator.prompts().get(0))
                .tools()
                .get(0);
        assertThat(tool.name()).isEqualTo("tide");
        assertThat(tool.description()).isEqualTo("time of high tide");
        assertThat(tool.parameters()).contains("\"place\"");
    }

    @Test
    void aChatClientCallsToolsInAStream() {
        String text = String.join(
                "",
                ChatClient.create(ToSpringAi.chatModel(tides()))
                        .prompt("When is high tide?")
                        .tools(new Harbour())
                        .stream()
                        .content()
                        .collectList()
                        .block());

        assertThat(text).isEqualTo("High tide is at \"9:00 in Husum\".");
    }

    private static ScriptedGenerator tides() {
        return ScriptedGenerator.of(prompt -> {
            List<Message> messages = ((dev.pollux.generation.Prompt.Chat) prompt).messages();
            Message last = messages.get(messages.size() - 1);
            return last.role().equals("tool")
                    ? List.of(answer("High tide is at "), answer(last.content() + "."))
                    : List.of(call("c1", "tide", "{\"place\": \"Husum\"}"));
        });
    }
}
