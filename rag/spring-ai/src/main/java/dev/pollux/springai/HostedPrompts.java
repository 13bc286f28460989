package dev.pollux.springai;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Message;
import dev.pollux.generation.Prompt;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import java.util.List;
import java.util.Map;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;

/** Translates prompts to Spring AI. <em>Stateless, thread-safe.</em> */
final class HostedPrompts {

    private HostedPrompts() {}

    static org.springframework.ai.chat.prompt.Prompt of(Prompt.Chat chat, GenerationOptions options) {
        return new org.springframework.ai.chat.prompt.Prompt(
                chat.messages().stream().map(HostedPrompts::message).toList(),
                ToolCallingChatOptions.builder()
                        .maxTokens(options.maxTokens())
                        .temperature(options.temperature())
                        .topK(options.topK() == 0 ? null : options.topK())
                        .topP(options.topP() == 1 ? null : options.topP())
                        .presencePenalty(options.presencePenalty() == 0 ? null : options.presencePenalty())
                        .frequencyPenalty(options.frequencyPenalty() == 0 ? null : options.frequencyPenalty())
                        .stopSequences(options.stop().isEmpty() ? null : options.stop())
                        .toolCallbacks(chat.tools().stream()
                                .map(tool -> (ToolCallback) new Offered(tool))
                                .toList())
                        .build());
    }

    private static org.springframework.ai.chat.messages.Message message(Message message) {
        return switch (message.role()) {
            case "system" -> new SystemMessage(message.content());
            case "user" -> new UserMessage(message.content());
            case "assistant" ->
                AssistantMessage.builder()
                        .content(message.content())
                        .properties(
                                message.reasoning().isEmpty()
                                        ? Map.of()
                                        : Map.of(ChatPrompts.REASONING, message.reasoning()))
                        .toolCalls(message.calls().stream()
                                .map(call -> new AssistantMessage.ToolCall(
                                        call.id(), "function", call.name(), call.arguments()))
                                .toList())
                        .build();
            case "tool" -> result(message);
            default ->
                throw new IllegalArgumentException(
                        "Spring AI reads the roles system, user, assistant and tool but was given " + message.role());
        };
    }

    private static ToolResponseMessage result(Message message) {
        if (message.calls().size() != 1) {
            throw new IllegalArgumentException("A message of a tool must hold the call that it answers but held "
                    + message.calls().size() + "; use Message.tool");
        }
        ToolCall call = message.calls().get(0);
        return ToolResponseMessage.builder()
                .responses(List.of(new ToolResponseMessage.ToolResponse(call.id(), call.name(), message.content())))
                .build();
    }

    /** A tool that is offered to a model; the caller of the generator runs it. */
    private record Offered(Tool tool) implements ToolCallback {

        @Override
        public ToolDefinition getToolDefinition() {
            return ToolDefinition.builder()
                    .name(tool.name())
                    .description(tool.description())
                    .inputSchema(tool.parameters())
                    .build();
        }

        @Override
        public String call(String input) {
            throw new IllegalStateException("Tool " + tool.name()
                    + " is run by the caller of the generator, to whom the model's calls are given");
        }
    }
}
