package dev.pollux.springai;

import static dev.pollux.testkit.ScriptedGenerator.answer;
import static dev.pollux.testkit.ScriptedGenerator.call;
import static dev.pollux.testkit.ScriptedGenerator.thought;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.testkit.FakeGenerator;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ScriptedGenerator;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/** A chat model of Spring AI as a generator. */
@NoLeaks
class GeneratorOfSpringAiTest {

    private static final GeneratorInfo REMOTE = new GeneratorInfo("remote", 1_000, true);
    private static final Tool TIDE = new Tool("tide", "time of high tide", "{\"type\":\"object\",\"properties\":{}}");

    @Test
    void aConversationGoesThereAndBackUnchanged() {
        ToolCall earlier = new ToolCall("c1", "tide", "{\"place\":\"Husum\"}");
        ScriptedGenerator own = ScriptedGenerator.of(
                prompt -> List.of(thought("Hm."), answer("At "), answer("nine."), call("c2", "tide", "{}")));
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(9)
                .temperature(0.5)
                .topK(3)
                .topP(0.9)
                .presencePenalty(0.1)
                .frequencyPenalty(0.2)
                .stop("END")
                .build();
        Prompt prompt = Prompt.chat(
                List.of(
                        Message.system("Be brief."),
                        Message.user("Tide?"),
                        Message.calling(earlier),
                        Message.tool(earlier, "9:00")),
                List.of(TIDE));
        try (Generator generator = FromSpringAi.generator(
                ToSpringAi.chatModel(own, GenerationOptions.DEFAULTS), new GeneratorInfo("scripted", 1_000, true))) {
            Generation generation = generator.generate(prompt, options);

            assertThat(generation.text()).isEqualTo("At nine.");
            assertThat(generation.reasoning()).isEqualTo("Hm.");
            assertThat(generation.calls()).containsExactly(new ToolCall("c2", "tide", "{}"));
            assertThat(generation.finish()).isEqualTo(FinishReason.END_OF_TEXT);
            assertThat(own.prompts()).containsExactly(prompt);
            assertThat(own.options()).containsExactly(options);
        }
    }

    @Test
    void textComesAsTheModelWritesIt() {
        Sinks.Many<ChatResponse> sink = Sinks.many().unicast().onBackpressureBuffer();
        try (Generator generator = FromSpringAi.generator(new Streaming(sink.asFlux()), REMOTE);
                GenerationStream stream = generator.stream("When?")) {
            Iterator<Delta> deltas = stream.deltas();
            sink.tryEmitNext(response("At ", null));
            assertThat(deltas.next()).isEqualTo(Delta.of(Channel.ANSWER, "At "));
            sink.tryEmitNext(response("nine.", "length"));
            assertThat(deltas.next()).isEqualTo(Delta.of(Channel.ANSWER, "nine."));
            sink.tryEmitComplete();
            assertThat(deltas.hasNext()).isFalse();
            assertThat(stream.result().finish()).isEqualTo(FinishReason.MAX_TOKENS);
            assertThat(stream.result().usage().completionTokens()).isEqualTo(2); // estimated
        }
    }

    @Test
    void aModelThatDoesNotStreamIsCalled() {
        ChatModel model = prompt -> response("At nine.", "STOP");
        try (Generator generator = FromSpringAi.generator(model, REMOTE)) {
            Generation generation = generator.generate("When?");
            assertThat(generation.text()).isEqualTo("At nine.");
            assertThat(generation.finish()).isEqualTo(FinishReason.END_OF_TEXT);
        }
    }

    @Test
    void cancelEndsTheSubscriptionAndWakesTheReader() throws InterruptedException {
        CountDownLatch cancelled = new CountDownLatch(1);
        Flux<ChatResponse> endless = Flux.concat(Flux.just(response("At ", null)), Flux.<ChatResponse>never())
                .doOnCancel(cancelled::countDown);
        try (Generator generator = FromSpringAi.generator(new Streaming(endless), REMOTE);
                GenerationStream stream = generator.stream("When?")) {
            Iterator<String> text = stream.iterator();
            assertThat(text.next()).isEqualTo("At ");
            CompletableFuture<Void> cancelling = CompletableFuture.runAsync(stream::cancel);

            assertThat(text.hasNext()).isFalse();
            cancelling.join();
            cancelled.await();
            assertThat(stream.result().finish()).isEqualTo(FinishReason.CANCELLED);
            assertThat(stream.result().text()).isEqualTo("At ");
        }
    }

    @Test
    void errorsArePassedOn() {
        try (Generator generator =
                FromSpringAi.generator(new Streaming(Flux.error(new IllegalStateException("busy"))), REMOTE)) {
            assertThatThrownBy(() -> generator.generate("x"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("busy");
        }
    }

    @Test
    void whatAChatModelCannotDoIsRefused() {
        try (Generator generator = FromSpringAi.generator(prompt -> response("x", "STOP"), REMOTE)) {
            assertThatThrownBy(() -> generator.generate(Prompt.text("Once")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("A chat model of Spring AI reads conversations only; use Prompt.chat instead of"
                            + " Prompt.text");
            assertThatThrownBy(() -> generator.generate(Prompt.chat(new Message("critic", "x"))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Spring AI reads the roles system, user, assistant and tool but was given critic");
        }
    }

    @Test
    void theUsageOfTheModelIsReported() {
        try (FakeGenerator own = FakeGenerator.saying("In Husum.");
                Generator generator =
                        FromSpringAi.generator(ToSpringAi.chatModel(own), new GeneratorInfo("fake", 1_000, true))) {
            Generation generation = generator.generate("Where?");
            assertThat(generation.usage().promptTokens())
                    .isEqualTo(own.countTokens(own.prompts().get(0)));
            assertThat(generation.usage().completionTokens()).isEqualTo(3);
        }
    }

    private static ChatResponse response(String text, @org.jspecify.annotations.Nullable String reason) {
        ChatGenerationMetadata metadata = reason == null
                ? ChatGenerationMetadata.NULL
                : ChatGenerationMetadata.builder().finishReason(reason).build();
        return new ChatResponse(new ArrayList<>(
                List.of(new org.springframework.ai.chat.model.Generation(new AssistantMessage(text), metadata))));
    }

    /** A model that answers with the given responses. */
    private record Streaming(Flux<ChatResponse> responses) implements ChatModel {

        @Override
        public ChatResponse call(org.springframework.ai.chat.prompt.Prompt prompt) {
            throw new IllegalStateException("It is streamed");
        }

        @Override
        public Flux<ChatResponse> stream(org.springframework.ai.chat.prompt.Prompt prompt) {
            return responses;
        }
    }
}
