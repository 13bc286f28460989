package dev.pollux.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.internal.foreign.ForeignModel;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Requests to chat models of LangChain4j. <em>Stateless, thread-safe.</em> */
final class HostedModel {

    private HostedModel() {}

    static ForeignModel streaming(StreamingChatModel model) {
        return (prompt, options, to) -> model.chat(request(prompt, options), new Handler(to));
    }

    static ForeignModel blocking(ChatModel model) {
        return (prompt, options, to) -> {
            ChatResponse response = model.chat(request(prompt, options));
            String text = response.aiMessage().text();
            if (text != null && !text.isEmpty()) {
                to.delta(Delta.of(Channel.ANSWER, text));
            }
            to.completed(end(response));
        };
    }

    private static ChatRequest request(Prompt.Chat chat, GenerationOptions options) {
        return ChatRequest.builder()
                .messages(Messages.toLangChain4j(chat.messages()))
                .parameters(ChatRequestParameters.builder()
                        .maxOutputTokens(options.maxTokens())
                        .temperature(options.temperature())
                        .topK(options.topK() == 0 ? null : options.topK())
                        .topP(options.topP() == 1 ? null : options.topP())
                        .presencePenalty(options.presencePenalty() == 0 ? null : options.presencePenalty())
                        .frequencyPenalty(options.frequencyPenalty() == 0 ? null : options.frequencyPenalty())
                        .stopSequences(options.stop())
                        .toolSpecifications(Tools.toLangChain4j(chat.tools()))
                        .build())
                .build();
    }

    private static ForeignModel.End end(ChatResponse response) {
        AiMessage message = response.aiMessage();
        TokenUsage tokens = response.tokenUsage();
        return new ForeignModel.End(
                Objects.requireNonNullElse(message.thinking(), ""),
                message.toolExecutionRequests().stream().map(Tools::call).toList(),
                response.finishReason() == FinishReason.LENGTH,
                count(tokens == null ? null : tokens.inputTokenCount()),
                count(tokens == null ? null : tokens.outputTokenCount()));
    }

    private static OptionalInt count(@Nullable Integer reported) {
        return reported == null ? OptionalInt.empty() : OptionalInt.of(reported);
    }

    /** What a model calls, on its threads. */
    private record Handler(ForeignModel.Receiver to) implements StreamingChatResponseHandler {

        @Override
        public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
            to.cancellable(context.streamingHandle()::cancel);
            onPartialResponse(partial.text());
        }

        @Override
        public void onPartialResponse(String partial) {
            if (!partial.isEmpty()) {
                to.delta(Delta.of(Channel.ANSWER, partial));
            }
        }

        @Override
        public void onPartialThinking(PartialThinking partial, PartialThinkingContext context) {
            to.cancellable(context.streamingHandle()::cancel);
            onPartialThinking(partial);
        }

        @Override
        public void onPartialThinking(PartialThinking partial) {
            to.delta(Delta.of(Channel.REASONING, partial.text()));
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            to.completed(end(response));
        }

        @Override
        public void onError(Throwable error) {
            to.failed(error);
        }
    }
}
