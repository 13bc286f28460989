package dev.pollux.langchain4j;

import static dev.pollux.testkit.ScriptedGenerator.answer;
import static dev.pollux.testkit.ScriptedGenerator.call;
import static dev.pollux.testkit.ScriptedGenerator.thought;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.ToolCall;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ScriptedGenerator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

@NoLeaks
class ChatModelTest {

    @Test
    void aQuestionIsAnsweredWithUsageAndReason() {
        try (FakeGenerator generator = FakeGenerator.saying("In Husum.")) {
            ChatResponse response = ToLangChain4j.chatModel(generator)
                    .chat(SystemMessage.from("Be brief."), UserMessage.from("Where is the boat?"));

            assertThat(response.aiMessage()).isEqualTo(AiMessage.from("In Husum."));
            assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(response.modelName()).isEqualTo("fake");
            assertThat(response.tokenUsage())
                    .isEqualTo(new TokenUsage(
                            generator.countTokens(generator.prompts().get(0)), 3));
            assertThat(generator.prompts())
                    .containsExactly(Prompt.chat(Message.system("Be brief."), Message.user("Where is the boat?")));
        }
    }

    @Test
    void theParametersOfARequestReplaceTheOptions() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> List.of(answer("x")));
        GenerationOptions options =
                GenerationOptions.builder().temperature(0.3).minP(0.1).seed(4).build();

        ToLangChain4j.chatModel(generator, options)
                .chat(ChatRequest.builder()
                        .messages(UserMessage.from("x"))
                        .temperature(0.9)
                        .topP(0.8)
                        .topK(20)
                        .frequencyPenalty(0.5)
                        .presencePenalty(0.4)
                        .maxOutputTokens(5)
                        .stopSequences(List.of("END"))
                        .build());

        assertThat(generator.options())
                .containsExactly(options.toBuilder()
                        .temperature(0.9)
                        .topP(0.8)
                        .topK(20)
                        .frequencyPenalty(0.5)
                        .presencePenalty(0.4)
                        .maxTokens(5)
                        .stop("END")
                        .build());
    }

    @Test
    void theOptionsHoldWhereARequestHasNone() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> List.of(answer("x")));
        GenerationOptions options = GenerationOptions.builder()
                .temperature(0.3)
                .minP(0.1)
                .maxTokens(9)
                .stop("END")
                .build();

        ToLangChain4j.chatModel(generator, options).chat("x");

        assertThat(generator.options()).containsExactly(options);
    }

    @Test
    void lengthEndsWithItsReason() {
        try (FakeGenerator generator = FakeGenerator.saying("one two three")) {
            ChatResponse response = ToLangChain4j.chatModel(
                            generator, GenerationOptions.builder().maxTokens(2).build())
                    .chat(UserMessage.from("count"));

            assertThat(response.aiMessage().text()).isEqualTo("one two");
            assertThat(response.finishReason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void reasoningAndCallsAreApartFromTheAnswer() {
        ScriptedGenerator generator = ScriptedGenerator.of(
                prompt -> List.of(thought("The tide."), call("c1", "tide", "{\"place\":\"Husum\"}")));

        AiMessage message = ToLangChain4j.chatModel(generator)
                .chat(ChatRequest.builder()
                        .messages(UserMessage.from("When is high tide?"))
                        .toolSpecifications(ToolSpecification.builder()
                                .name("tide")
                                .description("time of high tide")
                                .parameters(JsonObjectSchema.builder()
                                        .addStringProperty("place")
                                        .required("place")
                                        .build())
                                .build())
                        .build())
                .aiMessage();

        assertThat(message.thinking()).isEqualTo("The tide.");
        assertThat(message.text()).isNull();
        assertThat(message.toolExecutionRequests()).singleElement().satisfies(request -> {
            assertThat(request.id()).isEqualTo("c1");
            assertThat(request.arguments()).isEqualTo("{\"place\":\"Husum\"}");
        });
        assertThat(((Prompt.Chat) generator.prompts().get(0)).tools())
                .containsExactly(new dev.pollux.generation.Tool(
                        "tide",
                        "time of high tide",
                        "{\"type\":\"object\",\"properties\":{\"place\":{\"type\":\"string\"}},"
                                + "\"required\":[\"place\"]}"));
    }

    @Test
    void aResultOfAToolKnowsItsCall() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> List.of(answer("At nine.")));
        ToolCall first = ToolCall.of("tide", "{\"place\":\"Husum\"}");
        ToolCall second = ToolCall.of("tide", "{\"place\":\"Wyk\"}");

        ToLangChain4j.chatModel(generator)
                .chat(
                        UserMessage.from("Tides?"),
                        AiMessage.from(List.of(Tools.request(first), Tools.request(second))),
                        ToolExecutionResultMessage.from(Tools.request(first), "9:00"),
                        ToolExecutionResultMessage.from(Tools.request(second), "9:30"));

        assertThat(generator.prompts())
                .containsExactly(Prompt.chat(
                        Message.user("Tides?"),
                        Message.calling(first, second),
                        Message.tool(first, "9:00"),
                        Message.tool(second, "9:30")));
    }

    @Test
    void whatPolluxDoesNotHaveIsRefused() {
        ChatModel model = ToLangChain4j.chatModel(ScriptedGenerator.of(prompt -> List.of(answer("x"))));
        ChatRequest.Builder request = ChatRequest.builder().messages(UserMessage.from("x"));

        assertThatThrownBy(() -> model.chat(UserMessage.from(ImageContent.from("http://example.org/x.png"))))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessage("Pollux reads messages of text but was given content of type IMAGE");
        assertThatThrownBy(() -> model.chat(request.modelName("other").build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessage("The model must be scripted but was other; open a generator for each model");
        assertThatThrownBy(() -> model.chat(ChatRequest.builder()
                        .messages(UserMessage.from("x"))
                        .toolChoice(ToolChoice.REQUIRED)
                        .build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessage("The tool choice must be AUTO or NONE but was REQUIRED; Pollux does not force a model to"
                        + " call a tool");
        assertThatThrownBy(() -> model.chat(ChatRequest.builder()
                        .messages(UserMessage.from("x"))
                        .responseFormat(ResponseFormat.JSON)
                        .build()))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessage("The response format must be TEXT but was JSON; describe the format in the message");
    }

    @Test
    void aModelThatDoesNotChatContinuesOneMessage() {
        try (FakeGenerator generator = FakeGenerator.withoutChat(prompt -> "there was")) {
            ChatModel model = ToLangChain4j.chatModel(generator);

            assertThat(model.chat("Once upon a time")).isEqualTo("there was");
            assertThat(generator.prompts()).containsExactly(Prompt.literal("Once upon a time"));
            assertThatThrownBy(() -> model.chat(SystemMessage.from("x"), UserMessage.from("y")))
                    .isInstanceOf(UnsupportedFeatureException.class)
                    .hasMessage("Model fake does not chat: a request must be one user message without tools but had 2"
                            + " messages and 0 tools");
        }
    }

    @Test
    void streamingGivesThoughtsCallsAndDeltasInOrder() {
        ScriptedGenerator generator = ScriptedGenerator.of(
                prompt -> List.of(thought("Hm."), answer("At "), answer("nine."), call("", "note", "{}")));
        List<String> events = new ArrayList<>();
        StreamingChatModel model = ToLangChain4j.streamingChatModel(generator, Runnable::run);

        model.chat("x", new Recorder(events));

        assertThat(events)
                .containsExactly(
                        "thought Hm.", "delta At ", "delta nine.", "call 0 note", "complete At nine. TOOL_EXECUTION");
    }

    @Test
    void streamingIsCancelledByItsHandle() {
        ScriptedGenerator generator =
                ScriptedGenerator.of(prompt -> List.of(answer("one "), answer("two "), answer("three")));
        List<String> events = new ArrayList<>();

        ToLangChain4j.streamingChatModel(generator, Runnable::run).chat("x", new Recorder(events) {
            @Override
            public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
                super.onPartialResponse(partial, context);
                context.streamingHandle().cancel();
                assertThat(context.streamingHandle().isCancelled()).isTrue();
            }
        });

        assertThat(events).containsExactly("delta one ", "complete one  OTHER");
    }

    @Test
    void anErrorOfTheModelOrOfTheHandlerReachesOnError() {
        List<String> events = new ArrayList<>();
        StreamingChatModel model = ToLangChain4j.streamingChatModel(
                ScriptedGenerator.of(prompt -> {
                    throw new IllegalStateException("broken");
                }),
                Runnable::run);
        model.chat("x", new Recorder(events));
        ToLangChain4j.streamingChatModel(
                        ScriptedGenerator.of(prompt -> List.of(answer("one"), answer("two"))), Runnable::run)
                .chat("x", new Recorder(events) {
                    @Override
                    public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
                        super.onPartialResponse(partial, context);
                        throw new IllegalArgumentException("of the host");
                    }
                });

        assertThat(events).containsExactly("error broken", "delta one", "error of the host");
    }

    interface Assistant {
        String chat(String message);
    }

    interface StreamingAssistant {
        TokenStream chat(String message);
    }

    /** Tools of the host. */
    static final class Harbour {
        @Tool("time of high tide")
        String tide(String place) {
            return "9:00 in " + place;
        }
    }

    @Test
    void anAiServiceCallsToolsAndRemembers() {
        ScriptedGenerator generator = ScriptedGenerator.of(prompt -> {
            List<Message> messages = ((Prompt.Chat) prompt).messages();
            Message last = messages.get(messages.size() - 1);
            return last.role().equals("tool")
                    ? List.of(answer("High tide is at " + last.content() + "."))
                    : List.of(call("", "tide", "{\"arg0\": \"Husum\", \"place\": \"Husum\"}"));
        });
        Assistant assistant = AiServices.builder(Assistant.class)
                .chatModel(ToLangChain4j.chatModel(generator))
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
                .tools(new Harbour())
                .build();

        assertThat(assistant.chat("When is high tide?")).isEqualTo("High tide is at 9:00 in Husum.");
        assertThat(((Prompt.Chat) generator.prompts().get(1)).messages())
                .extracting(Message::role)
                .containsExactly("user", "assistant", "tool");
    }

    @Test
    void anAiServiceStreamsOnAnExecutor() {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (FakeGenerator generator = FakeGenerator.saying("In the harbour of Husum.")) {
            StreamingAssistant assistant = AiServices.builder(StreamingAssistant.class)
                    .streamingChatModel(ToLangChain4j.streamingChatModel(generator, executor))
                    .build();
            StringBuilder text = new StringBuilder();
            CompletableFuture<ChatResponse> done = new CompletableFuture<>();

            assistant
                    .chat("Where is the boat?")
                    .onPartialResponse(text::append)
                    .onCompleteResponse(done::complete)
                    .onError(done::completeExceptionally)
                    .start();

            assertThat(done.join().aiMessage().text())
                    .isEqualTo("In the harbour of Husum.")
                    .isEqualTo(text.toString());
        } finally {
            executor.shutdown();
        }
    }

    /** Writes down what it is called with. */
    private static class Recorder implements StreamingChatResponseHandler {
        private final List<String> events;

        Recorder(List<String> events) {
            this.events = events;
        }

        @Override
        public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
            events.add("delta " + partial.text());
        }

        @Override
        public void onPartialThinking(PartialThinking partial) {
            events.add("thought " + partial.text());
        }

        @Override
        public void onCompleteToolCall(CompleteToolCall call) {
            events.add(
                    "call " + call.index() + " " + call.toolExecutionRequest().name());
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            events.add("complete " + response.aiMessage().text() + " " + response.finishReason());
        }

        @Override
        public void onError(Throwable error) {
            events.add("error " + error.getMessage());
        }
    }
}
