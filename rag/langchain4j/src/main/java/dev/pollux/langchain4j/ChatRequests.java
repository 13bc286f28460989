package dev.pollux.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.Tool;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Requests of LangChain4j to a generator, and its answers. <em>Thread-safe.</em>
 *
 * @param generator the generator
 * @param options options of requests that do not set their own
 */
record ChatRequests(Generator generator, GenerationOptions options) {

    /** The options as parameters, so that listeners see them. */
    ChatRequestParameters defaults() {
        return ChatRequestParameters.builder()
                .modelName(generator.info().name())
                .temperature(options.temperature())
                .topK(options.topK() == 0 ? null : options.topK())
                .topP(options.topP())
                .presencePenalty(options.presencePenalty())
                .frequencyPenalty(options.frequencyPenalty())
                .maxOutputTokens(options.maxTokens())
                .stopSequences(options.stop())
                .build();
    }

    /** Starts the generation that a request asks for. */
    GenerationStream stream(ChatRequest request) {
        checkSupported(request);
        return generator.stream(prompt(request), merged(request));
    }

    private void checkSupported(ChatRequest request) {
        String model = request.modelName();
        if (model != null && !model.equals(generator.info().name())) {
            throw new UnsupportedFeatureException("The model must be "
                    + generator.info().name() + " but was " + model + "; open a generator for each model");
        }
        if (request.toolChoice() == ToolChoice.REQUIRED) {
            throw new UnsupportedFeatureException(
                    "The tool choice must be AUTO or NONE but was REQUIRED; Pollux does not force a model to call a tool");
        }
        if (request.responseFormat() != null && request.responseFormat().type() == ResponseFormatType.JSON) {
            throw new UnsupportedFeatureException(
                    "The response format must be TEXT but was JSON; describe the format in the message");
        }
    }

    private Prompt prompt(ChatRequest request) {
        List<Message> messages = Messages.toPollux(request.messages());
        List<Tool> tools =
                request.toolChoice() == ToolChoice.NONE ? List.of() : Tools.toPollux(request.toolSpecifications());
        if (generator.info().chat()) {
            return Prompt.chat(messages, tools);
        }
        if (messages.size() > 1 || !messages.get(0).role().equals("user") || !tools.isEmpty()) {
            throw new UnsupportedFeatureException("Model " + generator.info().name()
                    + " does not chat: a request must be one user message without tools but had " + messages.size()
                    + " messages and " + tools.size() + " tools");
        }
        return Prompt.literal(messages.get(0).content());
    }

    private GenerationOptions merged(ChatRequest request) {
        GenerationOptions.Builder merged = options.toBuilder();
        if (request.maxOutputTokens() != null) {
            merged.maxTokens(request.maxOutputTokens());
        }
        if (request.temperature() != null) {
            merged.temperature(request.temperature());
        }
        if (request.topK() != null) {
            merged.topK(request.topK());
        }
        if (request.topP() != null) {
            merged.topP(request.topP());
        }
        if (request.presencePenalty() != null) {
            merged.presencePenalty(request.presencePenalty());
        }
        if (request.frequencyPenalty() != null) {
            merged.frequencyPenalty(request.frequencyPenalty());
        }
        if (request.stopSequences() != null) {
            merged.stop(request.stopSequences().toArray(String[]::new));
        }
        return merged.build();
    }

    /** The answer as LangChain4j has it. */
    ChatResponse response(Generation generation) {
        boolean calls = !generation.calls().isEmpty();
        AiMessage message = AiMessage.builder()
                .text(calls && generation.text().isEmpty() ? null : generation.text())
                .thinking(nullIfEmpty(generation.reasoning()))
                .toolExecutionRequests(
                        generation.calls().stream().map(Tools::request).toList())
                .build();
        return ChatResponse.builder()
                .aiMessage(message)
                .modelName(generator.info().name())
                .tokenUsage(new TokenUsage(
                        generation.usage().promptTokens(), generation.usage().completionTokens()))
                .finishReason(calls ? FinishReason.TOOL_EXECUTION : reason(generation.finish()))
                .build();
    }

    private static FinishReason reason(dev.pollux.generation.FinishReason finish) {
        return switch (finish) {
            case END_OF_TEXT, STOP_STRING -> FinishReason.STOP;
            case MAX_TOKENS, CONTEXT_FULL -> FinishReason.LENGTH;
            case CANCELLED -> FinishReason.OTHER;
        };
    }

    private static @Nullable String nullIfEmpty(String text) {
        return text.isEmpty() ? null : text;
    }
}
