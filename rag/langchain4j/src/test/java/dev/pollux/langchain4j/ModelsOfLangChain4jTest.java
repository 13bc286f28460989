package dev.pollux.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.pollux.CancelledException;
import dev.pollux.ModelExecutionException;
import dev.pollux.embedding.Embedder;
import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.embedding.TextRole;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.testkit.FakeEmbedder;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.FakeRetriever;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Twin;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

@NoLeaks
class ModelsOfLangChain4jTest {

    private static final GeneratorInfo REMOTE = new GeneratorInfo("remote", 1_000, true);
    private static final double ROUNDING = 1e-6;

    @Test
    void aChatModelContinuesAConversation() {
        Recording model = new Recording(AiMessage.from("In Husum."), FinishReason.STOP);
        try (Generator generator = FromLangChain4j.generator(model, REMOTE)) {
            GenerationOptions options = GenerationOptions.builder()
                    .maxTokens(9)
                    .temperature(0.5)
                    .topK(3)
                    .topP(0.9)
                    .stop("END")
                    .build();
            Generation generation = generator.generate(
                    Prompt.chat(List.of(Message.system("Be brief."), Message.user("Where?")), List.of(TIDE)), options);

            assertThat(generation.text()).isEqualTo("In Husum.");
            assertThat(generation.finish()).isEqualTo(dev.pollux.generation.FinishReason.END_OF_TEXT);
            assertThat(generation.usage().promptTokens()).isEqualTo(11);
            assertThat(generation.usage().completionTokens()).isEqualTo(4);
            ChatRequest request = model.requests.get(0);
            assertThat(request.messages())
                    .extracting(ChatMessage::type)
                    .map(Enum::name)
                    .containsExactly("SYSTEM", "USER");
            assertThat(request.maxOutputTokens()).isEqualTo(9);
            assertThat(request.temperature()).isEqualTo(0.5);
            assertThat(request.topK()).isEqualTo(3);
            assertThat(request.topP()).isEqualTo(0.9);
            assertThat(request.stopSequences()).containsExactly("END");
            assertThat(request.presencePenalty()).isNull();
            assertThat(request.toolSpecifications()).singleElement().satisfies(tool -> {
                assertThat(tool.name()).isEqualTo("tide");
                assertThat(tool.parameters().properties()).containsOnlyKeys("place");
                assertThat(tool.parameters().required()).containsExactly("place");
            });
        }
    }

    private static final Tool TIDE = new Tool(
            "tide",
            "time of high tide",
            "{\"type\": \"object\", \"properties\": {\"place\": {\"type\": \"string\"}}, \"required\": [\"place\"]}");

    @Test
    void callsAndLengthAreRead() {
        ToolCall call = new ToolCall("c1", "tide", "{\"place\": \"Husum\"}");
        Recording calling = new Recording(
                AiMessage.builder()
                        .thinking("Hm.")
                        .toolExecutionRequests(List.of(Tools.request(call)))
                        .build(),
                FinishReason.TOOL_EXECUTION);
        try (Generator generator = FromLangChain4j.generator(calling, REMOTE)) {
            Generation generation = generator.generate(Prompt.chat(List.of(Message.user("x")), List.of(TIDE)));
            assertThat(generation.calls()).containsExactly(call);
            assertThat(generation.reasoning()).isEqualTo("Hm.");
            generator.generate(
                    Prompt.chat(Message.user("x"), Message.assistant(generation), Message.tool(call, "9:00")));
            assertThat(calling.requests.get(1).messages())
                    .extracting(message -> message.type().name())
                    .containsExactly("USER", "AI", "TOOL_EXECUTION_RESULT");
        }
        try (Generator generator =
                FromLangChain4j.generator(new Recording(AiMessage.from("cut"), FinishReason.LENGTH), REMOTE)) {
            assertThat(generator.generate("x").finish()).isEqualTo(dev.pollux.generation.FinishReason.MAX_TOKENS);
        }
    }

    @Test
    void whatAChatModelCannotDoIsRefused() {
        try (Generator generator =
                FromLangChain4j.generator(new Recording(AiMessage.from("x"), FinishReason.STOP), REMOTE)) {
            assertThatThrownBy(() -> generator.generate(Prompt.text("Once")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("A chat model of LangChain4j reads conversations only; use Prompt.chat instead of"
                            + " Prompt.text");
            GenerationOptions seeded = GenerationOptions.builder().seed(1).build();
            assertThatThrownBy(() -> generator.generate(Prompt.chat(Message.user("x")), seeded))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("A chat model of LangChain4j takes maxTokens, temperature, topK, topP, presencePenalty,"
                            + " frequencyPenalty and stop only but was given " + seeded);
            assertThatThrownBy(() -> generator.generate("word ".repeat(1_000)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("The prompt has about 1254 tokens but model remote reads 1000; shorten it");
        }
    }

    @Test
    void itsSamplingIsWhatCanBePassedOn() {
        try (Generator generator =
                FromLangChain4j.generator(new Recording(AiMessage.from("x"), FinishReason.STOP), REMOTE)) {
            assertThat(generator.info().sampling())
                    .isEqualTo(GenerationOptions.builder().temperature(0.7).build());
        }
    }

    @Test
    void aStreamingModelOnAnotherThreadIsPulled() {
        StreamingChatModel model = new Streaming(handler -> {
            handler.onPartialThinking(new PartialThinking("Hm."));
            handler.onPartialResponse("At ");
            handler.onPartialResponse("");
            handler.onPartialResponse("nine.");
            handler.onCompleteResponse(response("At nine."));
        });
        try (Generator generator = FromLangChain4j.generator(model, REMOTE);
                GenerationStream stream = generator.stream("When?")) {
            List<Delta> deltas = new ArrayList<>();
            stream.deltas().forEachRemaining(deltas::add);

            assertThat(deltas)
                    .containsExactly(
                            Delta.of(Channel.REASONING, "Hm."),
                            Delta.of(Channel.ANSWER, "At "),
                            Delta.of(Channel.ANSWER, "nine."));
            assertThat(stream.iterator()).isExhausted();
            assertThat(stream.result().text()).isEqualTo("At nine.");
            assertThat(stream.result().reasoning()).isEqualTo("Hm.");
        }
    }

    @Test
    void cancelWakesAReaderThatWaitsAndStopsTheModel() throws InterruptedException {
        CountDownLatch waiting = new CountDownLatch(1);
        CountDownLatch stopped = new CountDownLatch(1);
        StreamingHandle handle = new StreamingHandle() {
            @Override
            public void cancel() {
                stopped.countDown();
            }

            @Override
            public boolean isCancelled() {
                return stopped.getCount() == 0;
            }
        };
        StreamingChatModel model = new Streaming(handler -> {
            handler.onPartialResponse(new PartialResponse("At "), new PartialResponseContext(handle));
            waiting.countDown(); // and no more
        });
        try (Generator generator = FromLangChain4j.generator(model, REMOTE);
                GenerationStream stream = generator.stream("When?")) {
            Iterator<String> deltas = stream.iterator();
            assertThat(deltas.next()).isEqualTo("At ");
            waiting.await();
            CompletableFuture<Void> cancelling = CompletableFuture.runAsync(stream::cancel);

            assertThat(deltas.hasNext()).isFalse();
            cancelling.join();
            stopped.await();
            assertThat(stream.result().text()).isEqualTo("At ");
            assertThat(stream.result().finish()).isEqualTo(dev.pollux.generation.FinishReason.CANCELLED);
        }
    }

    @Test
    void anInterruptLeavesTheStreamAsItWas() {
        CountDownLatch go = new CountDownLatch(1);
        StreamingChatModel model = new Streaming(handler -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                handler.onError(e);
            }
            handler.onPartialResponse("late");
            handler.onCompleteResponse(response("late"));
        });
        try (Generator generator = FromLangChain4j.generator(model, REMOTE);
                GenerationStream stream = generator.stream("When?")) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(stream::result).isInstanceOf(CancelledException.class);
            assertThat(Thread.interrupted()).isTrue();
            go.countDown();
            assertThat(stream.result().text()).isEqualTo("late");
        }
    }

    @Test
    void errorsArePassedOn() {
        StreamingChatModel checked = new Streaming(handler -> handler.onError(new Exception("line is down")));
        StreamingChatModel unchecked = new Streaming(handler -> handler.onError(new IllegalStateException("busy")));
        try (Generator one = FromLangChain4j.generator(checked, REMOTE);
                Generator other = FromLangChain4j.generator(unchecked, REMOTE)) {
            assertThatThrownBy(() -> one.generate("x"))
                    .isInstanceOf(ModelExecutionException.class)
                    .hasMessage("The model failed: java.lang.Exception: line is down");
            assertThatThrownBy(() -> other.generate("x"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("busy");
        }
    }

    @Test
    void closingEndsStreamsAndRefusesNewOnes() {
        Generator generator = FromLangChain4j.generator(new Streaming(handler -> {}), REMOTE);
        GenerationStream stream = generator.stream("x");
        generator.close();
        generator.close();

        assertThat(stream.result().finish()).isEqualTo(dev.pollux.generation.FinishReason.CANCELLED);
        assertThatThrownBy(() -> generator.stream("x"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The generator is closed; make another");
        stream.close();
    }

    /** Over both bridges: Pollux in LangChain4j in Pollux. */
    @Test
    void aGeneratorThereAndBackSaysTheSame() {
        try (FakeGenerator fake = FakeGenerator.saying("In the harbour of Husum.");
                Generator blocking = FromLangChain4j.generator(ToLangChain4j.chatModel(fake), REMOTE);
                Generator streaming =
                        FromLangChain4j.generator(ToLangChain4j.streamingChatModel(fake, Runnable::run), REMOTE)) {
            assertThat(blocking.generate("Where?").text()).isEqualTo("In the harbour of Husum.");
            assertThat(streaming.generate("Where?").text()).isEqualTo("In the harbour of Husum.");
        }
    }

    @Test
    void anEmbedderThereAndBackHasTheSameVectors() {
        try (FakeEmbedder fake = FakeEmbedder.open();
                Embedder back = FromLangChain4j.embedder(ToLangChain4j.embeddingModel(fake), fake.info())) {
            List<String> texts = List.of("The boat lies in Husum.", "A plum tree.");
            float[][] expected = fake.embed(texts, TextRole.PASSAGE);
            float[][] vectors = back.embed(texts, TextRole.PASSAGE);
            for (int i = 0; i < expected.length; i++) {
                assertThat(vectors[i]).containsExactly(expected[i], within((float) ROUNDING));
            }
            assertThat(back.embed(List.of(), TextRole.QUERY)).isEmpty();
            assertThatThrownBy(() -> back.embed(List.of("word ".repeat(600)), TextRole.QUERY))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "A text must have at most 512 tokens for embedder fake 256 but has about 750; split it");
        }
    }

    @Test
    void vectorsAreNormalisedAndChecked() {
        EmbeddingModel long3 = new Fixed(new float[] {3, 4});
        try (Embedder embedder = FromLangChain4j.embedder(long3, new EmbedderInfo("fixed", "f", 2, 100));
                Embedder wrong = FromLangChain4j.embedder(long3, new EmbedderInfo("fixed", "f", 3, 100))) {
            assertThat(embedder.embed(List.of("x"), TextRole.QUERY)[0]).containsExactly(0.6f, 0.8f);
            assertThatThrownBy(() -> wrong.embed(List.of("x"), TextRole.QUERY))
                    .isInstanceOf(ModelExecutionException.class)
                    .hasMessage("Embedding model fixed made a vector of length 2 but its info says 3; correct the"
                            + " dimension");
        }
    }

    @Test
    void scoringModelsAreRerankersBothWays() {
        ScoringModel model = (segments, query) -> Response.from(segments.stream()
                .map(segment -> (double) segment.text().length())
                .toList());

        assertThat(FromLangChain4j.reranker(model).score("q", List.of("abc", "a")))
                .containsExactly(3, 1);
        assertThat(FromLangChain4j.reranker(model).score("q", List.of())).isEmpty();
        assertThat(ToLangChain4j.scoringModel(FromLangChain4j.reranker(model))
                        .scoreAll(List.of(TextSegment.from("abc")), "q")
                        .content())
                .containsExactly(3.0);
    }

    @Test
    void aTwinWritesWithAChatModel() {
        ChatModel model = new Recording(AiMessage.from("The boat lies in the harbour of Husum."), FinishReason.STOP);
        try (FakeEmbedder embedder = FakeEmbedder.open();
                Generator generator = FromLangChain4j.generator(model, REMOTE)) {
            Twin twin = Twin.builder()
                    .retriever(FakeRetriever.over(new dev.pollux.retrieval.Document(
                            "boat.md", "text/markdown", "The boat lies in the harbour of Husum.", Map.of())))
                    .embedder(embedder)
                    .generator(generator)
                    .build();

            Answer answer = twin.ask("In which harbour does the boat lie?");

            assertThat(answer.text()).contains("Husum");
        }
    }

    private static ChatResponse response(String text) {
        return ChatResponse.builder()
                .aiMessage(AiMessage.from(text))
                .finishReason(FinishReason.STOP)
                .tokenUsage(new TokenUsage(11, 4))
                .build();
    }

    /** Answers the same to every request, and keeps the requests. */
    private static final class Recording implements ChatModel {
        final List<ChatRequest> requests = new ArrayList<>();
        private final AiMessage message;
        private final FinishReason finish;

        Recording(AiMessage message, FinishReason finish) {
            this.message = message;
            this.finish = finish;
        }

        @Override
        public ChatResponse doChat(ChatRequest request) {
            requests.add(request);
            return ChatResponse.builder()
                    .aiMessage(message)
                    .finishReason(finish)
                    .tokenUsage(new TokenUsage(11, 4))
                    .build();
        }
    }

    /** Plays a script to the handler on another thread. */
    private record Streaming(java.util.function.Consumer<StreamingChatResponseHandler> script)
            implements StreamingChatModel {

        @Override
        public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
            new Thread(() -> script.accept(handler)).start();
        }
    }

    /** One vector for every text. */
    private record Fixed(float[] vector) implements EmbeddingModel {

        @Override
        public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
            return Response.from(
                    segments.stream().map(segment -> Embedding.from(vector)).toList());
        }
    }
}
