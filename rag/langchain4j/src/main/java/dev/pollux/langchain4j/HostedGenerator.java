package dev.pollux.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;
import dev.pollux.internal.Interrupts;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/** A chat model as a generator. <em>As thread-safe as the model.</em> */
final class HostedGenerator implements Generator {

    /** Starts a request. The handler's calls may come at once or later, from any thread. */
    interface Model extends BiConsumer<ChatRequest, StreamingChatResponseHandler> {}

    private final GeneratorInfo info;
    private final Model model;
    private final Set<HostedStream> streams = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    HostedGenerator(GeneratorInfo info, Model model) {
        this.info = new GeneratorInfo(
                info.name(), info.contextLength(), info.chat(), passedOn(info.sampling()), info.parameters());
        this.model = model;
    }

    static Model streaming(StreamingChatModel model) {
        return model::chat;
    }

    static Model blocking(ChatModel model) {
        return (request, handler) -> {
            ChatResponse response = model.chat(request);
            AiMessage message = response.aiMessage();
            if (message.text() != null && !message.text().isEmpty()) {
                handler.onPartialResponse(new PartialResponse(message.text()), HostedStream.NO_HANDLE);
            }
            handler.onCompleteResponse(response);
        };
    }

    /** The part of the options that a request of LangChain4j can express. */
    private static GenerationOptions passedOn(GenerationOptions options) {
        return GenerationOptions.builder()
                .maxTokens(options.maxTokens())
                .temperature(options.temperature())
                .topK(options.topK())
                .topP(options.topP())
                .presencePenalty(options.presencePenalty())
                .frequencyPenalty(options.frequencyPenalty())
                .stop(options.stop().toArray(String[]::new))
                .build();
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        if (closed) {
            throw new IllegalStateException("The generator is closed; make another");
        }
        Interrupts.check();
        int tokens = countTokens(prompt);
        if (tokens >= info.contextLength()) {
            throw new IllegalArgumentException("The prompt has about " + tokens + " tokens but model " + info.name()
                    + " reads " + info.contextLength() + "; shorten it");
        }
        HostedStream stream = new HostedStream(model, request(prompt, options), tokens, streams::remove);
        streams.add(stream);
        return stream;
    }

    private static ChatRequest request(Prompt prompt, GenerationOptions options) {
        if (!(prompt instanceof Prompt.Chat chat)) {
            throw new IllegalArgumentException(
                    "A chat model of LangChain4j reads conversations only; use Prompt.chat instead of Prompt.text");
        }
        if (!passedOn(options).equals(options)) {
            throw new IllegalArgumentException("A chat model of LangChain4j takes maxTokens, temperature, topK, topP,"
                    + " presencePenalty, frequencyPenalty and stop only but was given " + options);
        }
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

    @Override
    public GeneratorInfo info() {
        return info;
    }

    @Override
    public int countTokens(Prompt prompt) {
        return PromptTokens.of(prompt);
    }

    @Override
    public void close() {
        closed = true; // the model is the host's
        streams.forEach(GenerationStream::cancel);
    }
}
