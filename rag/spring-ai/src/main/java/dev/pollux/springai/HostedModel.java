package dev.pollux.springai;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.ToolCall;
import dev.pollux.internal.foreign.ForeignModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;

/** A chat model of Spring AI, which writes a stream if it can. <em>As thread-safe as the model.</em> */
record HostedModel(ChatModel model) implements ForeignModel {

    @Override
    public void start(Prompt.Chat prompt, GenerationOptions options, Receiver to) {
        org.springframework.ai.chat.prompt.Prompt asked = HostedPrompts.of(prompt, options);
        Answer answer = new Answer(to);
        Flux<ChatResponse> responses;
        try {
            responses = model.stream(asked);
        } catch (UnsupportedOperationException e) {
            answer.hookOnNext(model.call(asked));
            answer.hookOnComplete();
            return;
        }
        to.cancellable(answer::cancel);
        responses.subscribe(answer);
    }

    /** Takes the responses of a stream. <em>One thread at a time, except cancel.</em> */
    private static final class Answer extends BaseSubscriber<ChatResponse> {

        /** The names of a limit of tokens, in different models. */
        private static final Set<String> CUT = Set.of("LENGTH", "MAX_TOKENS");

        private final Receiver to;
        private final StringBuilder reasoning = new StringBuilder();
        private final List<ToolCall> calls = new ArrayList<>();
        private boolean cut;
        private OptionalInt promptTokens = OptionalInt.empty();
        private OptionalInt completionTokens = OptionalInt.empty();

        Answer(Receiver to) {
            this.to = to;
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        protected void hookOnNext(ChatResponse response) {
            for (org.springframework.ai.chat.model.Generation generation : response.getResults()) {
                add(generation.getOutput());
                String reason = generation.getMetadata().getFinishReason();
                cut = cut || reason != null && CUT.contains(reason.toUpperCase(Locale.ROOT));
                break; // a prompt asks for one answer
            }
            count(response.getMetadata().getUsage());
        }

        private void add(AssistantMessage message) {
            String text = Objects.requireNonNullElse(message.getText(), "");
            if (!text.isEmpty()) {
                to.delta(Delta.of(Channel.ANSWER, text));
            }
            Object thought = message.getMetadata().get(ChatPrompts.REASONING);
            reasoning.append(thought == null ? "" : thought);
            message.getToolCalls().forEach(call -> calls.add(ChatPrompts.call(call)));
        }

        private void count(@Nullable Usage usage) {
            if (usage != null && usage.getPromptTokens() != null && usage.getPromptTokens() > 0) {
                promptTokens = OptionalInt.of(usage.getPromptTokens());
            }
            if (usage != null && usage.getCompletionTokens() != null && usage.getCompletionTokens() > 0) {
                completionTokens = OptionalInt.of(usage.getCompletionTokens());
            }
        }

        @Override
        protected void hookOnComplete() {
            to.completed(new End(reasoning.toString(), calls, cut, promptTokens, completionTokens));
        }

        @Override
        protected void hookOnError(Throwable error) {
            to.failed(error);
        }
    }
}
