package dev.pollux.springai;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Message;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.MediaContent;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;

/** Translates prompts of Spring AI. <em>Stateless, thread-safe.</em> */
final class ChatPrompts {

    /** The property of a message that holds what the model thought. */
    static final String REASONING = "reasoning";

    private ChatPrompts() {}

    static dev.pollux.generation.Prompt of(Prompt prompt, GeneratorInfo info) {
        List<Message> messages = messages(prompt.getInstructions());
        List<Tool> tools = tools(prompt.getOptions());
        if (info.chat()) {
            return dev.pollux.generation.Prompt.chat(messages, tools);
        }
        if (messages.size() != 1 || !messages.get(0).role().equals("user") || !tools.isEmpty()) {
            throw new IllegalArgumentException("Model " + info.name()
                    + " does not chat: a prompt must be one user message without tools but had " + messages.size()
                    + " messages and " + tools.size() + " tools");
        }
        return dev.pollux.generation.Prompt.literal(messages.get(0).content());
    }

    private static List<Message> messages(List<org.springframework.ai.chat.messages.Message> messages) {
        List<Message> translated = new ArrayList<>();
        List<ToolCall> calls = new ArrayList<>(); // without a result so far
        for (org.springframework.ai.chat.messages.Message message : messages) {
            checkText(message);
            String text = Objects.requireNonNullElse(message.getText(), "");
            if (message instanceof SystemMessage) {
                translated.add(Message.system(text));
            } else if (message instanceof UserMessage) {
                translated.add(Message.user(text));
            } else if (message instanceof AssistantMessage assistant) {
                Message turn = assistant(assistant, text);
                calls.addAll(turn.calls());
                translated.add(turn);
            } else if (message instanceof ToolResponseMessage results) {
                results.getResponses()
                        .forEach(
                                result -> translated.add(Message.tool(answered(result, calls), result.responseData())));
            } else {
                throw new IllegalArgumentException(
                        "Pollux reads system, user, assistant and tool messages but was given" + " one of class "
                                + message.getClass().getName());
            }
        }
        return translated;
    }

    private static void checkText(org.springframework.ai.chat.messages.Message message) {
        if (message instanceof MediaContent content && !content.getMedia().isEmpty()) {
            throw new IllegalArgumentException("Pollux reads messages of text but was given media of type "
                    + content.getMedia().get(0).getMimeType());
        }
    }

    private static Message assistant(AssistantMessage message, String text) {
        Object reasoning = message.getMetadata().get(REASONING);
        return new Message(
                "assistant",
                text,
                reasoning == null ? "" : reasoning.toString(),
                message.getToolCalls().stream().map(ChatPrompts::call).toList());
    }

    static ToolCall call(AssistantMessage.ToolCall call) {
        return new ToolCall(
                Objects.requireNonNullElse(call.id(), ""),
                call.name(),
                call.arguments().isBlank() ? "{}" : call.arguments());
    }

    /** The call that a result belongs to: by its id, or else the first without a result whose tool it is. */
    private static ToolCall answered(ToolResponseMessage.ToolResponse result, List<ToolCall> calls) {
        String id = Objects.requireNonNullElse(result.id(), "");
        ToolCall call = calls.stream()
                .filter(known -> id.isEmpty()
                        ? known.name().equals(result.name())
                        : known.id().equals(id))
                .findFirst()
                .orElseGet(() -> new ToolCall(id, result.name(), "{}"));
        calls.remove(call);
        return call;
    }

    private static List<Tool> tools(@Nullable ChatOptions options) {
        List<ToolCallback> tools =
                options instanceof ToolCallingChatOptions calling ? calling.getToolCallbacks() : null;
        return tools == null
                ? List.of()
                : tools.stream()
                        .map(ToolCallback::getToolDefinition)
                        .map(tool -> new Tool(tool.name(), tool.description(), tool.inputSchema()))
                        .toList();
    }

    /** The options of a generation: those of a prompt where it has them. */
    static GenerationOptions merged(GenerationOptions options, @Nullable ChatOptions asked, GeneratorInfo info) {
        if (asked == null) {
            return options;
        }
        if (asked.getModel() != null && !asked.getModel().equals(info.name())) {
            throw new IllegalArgumentException("The model must be " + info.name() + " but was " + asked.getModel()
                    + "; open a generator for each model");
        }
        GenerationOptions.Builder merged = options.toBuilder();
        if (asked.getMaxTokens() != null) {
            merged.maxTokens(asked.getMaxTokens());
        }
        if (asked.getTemperature() != null) {
            merged.temperature(asked.getTemperature());
        }
        if (asked.getTopK() != null) {
            merged.topK(asked.getTopK());
        }
        if (asked.getTopP() != null) {
            merged.topP(asked.getTopP());
        }
        if (asked.getPresencePenalty() != null) {
            merged.presencePenalty(asked.getPresencePenalty());
        }
        if (asked.getFrequencyPenalty() != null) {
            merged.frequencyPenalty(asked.getFrequencyPenalty());
        }
        if (asked.getStopSequences() != null) {
            merged.stop(asked.getStopSequences().toArray(String[]::new));
        }
        return merged.build();
    }
}
