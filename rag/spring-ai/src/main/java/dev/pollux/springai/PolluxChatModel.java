package dev.pollux.springai;

import dev.pollux.CancelledException;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SynchronousSink;
import reactor.core.scheduler.Schedulers;

/** A generator as a chat model. <em>Thread-safe.</em> */
record PolluxChatModel(Generator generator, GenerationOptions options) implements ChatModel {

    @Override
    public ChatResponse call(Prompt prompt) {
        try (GenerationStream stream = stream(ChatPrompts.of(prompt, generator.info()), prompt)) {
            Generation generation = stream.result();
            return response(message(generation.text(), generation), generation);
        }
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
        return Flux.defer(() -> {
                    Run run = new Run(prompt);
                    // The last function is called when no step runs, on completion, error and cancellation.
                    return Flux.<ChatResponse, Run>generate(() -> run, Run::step, Run::close)
                            .doOnCancel(run::cancel);
                })
                .subscribeOn(Schedulers.boundedElastic());
    }

    private GenerationStream stream(dev.pollux.generation.Prompt translated, Prompt prompt) {
        return generator.stream(translated, ChatPrompts.merged(options, prompt.getOptions(), generator.info()));
    }

    @Override
    public ChatOptions getOptions() {
        return ToolCallingChatOptions.builder()
                .model(generator.info().name())
                .temperature(options.temperature())
                .topK(options.topK() == 0 ? null : options.topK())
                .topP(options.topP())
                .presencePenalty(options.presencePenalty())
                .frequencyPenalty(options.frequencyPenalty())
                .maxTokens(options.maxTokens())
                .stopSequences(options.stop())
                .build();
    }

    private static AssistantMessage message(String text, Generation generation) {
        return AssistantMessage.builder()
                .content(text)
                .properties(
                        generation.reasoning().isEmpty()
                                ? Map.of()
                                : Map.of(ChatPrompts.REASONING, generation.reasoning()))
                .toolCalls(generation.calls().stream()
                        .map(call ->
                                new AssistantMessage.ToolCall(call.id(), "function", call.name(), call.arguments()))
                        .toList())
                .build();
    }

    private ChatResponse response(AssistantMessage message, Generation generation) {
        String reason = generation.calls().isEmpty() ? reason(generation.finish()) : "TOOL_CALLS";
        return new ChatResponse(
                List.of(new org.springframework.ai.chat.model.Generation(
                        message,
                        ChatGenerationMetadata.builder().finishReason(reason).build())),
                ChatResponseMetadata.builder()
                        .model(generator.info().name())
                        .usage(new DefaultUsage(
                                generation.usage().promptTokens(),
                                generation.usage().completionTokens(),
                                null,
                                null,
                                (long) generation.usage().cachedTokens(),
                                null))
                        .build());
    }

    private static String reason(FinishReason finish) {
        return switch (finish) {
            case END_OF_TEXT, STOP_STRING -> "STOP";
            case MAX_TOKENS, CONTEXT_FULL -> "LENGTH";
            case CANCELLED -> "CANCELLED";
        };
    }

    /** One subscription. Confined to one thread at a time, except {@link #cancel}. */
    private final class Run {
        private final Prompt prompt;
        private volatile @Nullable GenerationStream stream;
        private volatile boolean cancelled;

        Run(Prompt prompt) {
            this.prompt = prompt;
        }

        /** The next piece of text; or at the end the response with all but the text, and completion. */
        Run step(SynchronousSink<ChatResponse> sink) {
            try {
                GenerationStream open = opened();
                for (Iterator<Delta> deltas = open.deltas(); deltas.hasNext(); ) {
                    Delta delta = deltas.next();
                    String text = delta.text(Channel.ANSWER);
                    if (!text.isEmpty()) {
                        sink.next(new ChatResponse(
                                List.of(new org.springframework.ai.chat.model.Generation(new AssistantMessage(text)))));
                        return this;
                    }
                }
                Generation generation = open.result();
                sink.next(response(message("", generation), generation));
                sink.complete();
            } catch (CancelledException e) {
                if (cancelled) { // a worker of the scheduler is interrupted when its subscription is cancelled
                    sink.complete();
                } else {
                    sink.error(e);
                }
            }
            return this;
        }

        private GenerationStream opened() {
            GenerationStream known = stream;
            if (known == null) {
                known = PolluxChatModel.this.stream(ChatPrompts.of(prompt, generator.info()), prompt);
                stream = known;
                if (cancelled) {
                    known.cancel();
                }
            }
            return known;
        }

        void cancel() {
            cancelled = true;
            GenerationStream known = stream;
            if (known != null) {
                known.cancel();
            }
        }

        void close() {
            GenerationStream known = stream;
            if (known != null) {
                known.close();
            }
        }
    }
}
