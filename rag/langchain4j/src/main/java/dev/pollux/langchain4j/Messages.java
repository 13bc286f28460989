package dev.pollux.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.pollux.generation.Message;
import dev.pollux.generation.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** Translates messages. <em>Stateless, thread-safe.</em> */
final class Messages {

    private Messages() {}

    static List<Message> toPollux(List<ChatMessage> messages) {
        List<Message> translated = new ArrayList<>();
        List<ToolCall> calls = new ArrayList<>(); // without a result so far
        for (ChatMessage message : messages) {
            if (message instanceof SystemMessage system) {
                translated.add(Message.system(system.text()));
            } else if (message instanceof UserMessage user) {
                translated.add(Message.user(text(user.contents())));
            } else if (message instanceof AiMessage assistant) {
                Message turn = assistant(assistant);
                calls.addAll(turn.calls());
                translated.add(turn);
            } else if (message instanceof ToolExecutionResultMessage result) {
                translated.add(Message.tool(answered(result, calls), text(result.contents())));
            } else {
                throw new UnsupportedFeatureException("Pollux reads system, user, assistant and tool messages but was"
                        + " given one of type " + message.type());
            }
        }
        return translated;
    }

    private static Message assistant(AiMessage message) {
        return new Message(
                "assistant",
                Objects.requireNonNullElse(message.text(), ""),
                Objects.requireNonNullElse(message.thinking(), ""),
                message.toolExecutionRequests().stream().map(Tools::call).toList());
    }

    /** The call that a result belongs to: by its id, or else the first without a result whose tool it is. */
    private static ToolCall answered(ToolExecutionResultMessage result, List<ToolCall> calls) {
        String id = Objects.requireNonNullElse(result.id(), "");
        ToolCall call = calls.stream()
                .filter(known -> id.isEmpty()
                        ? known.name().equals(result.toolName())
                        : known.id().equals(id))
                .findFirst()
                .orElseGet(() -> new ToolCall(id, result.toolName(), "{}"));
        calls.remove(call);
        return call;
    }

    private static String text(List<Content> contents) {
        return contents.stream()
                .map(content -> {
                    if (content instanceof TextContent text) {
                        return text.text();
                    }
                    throw new UnsupportedFeatureException(
                            "Pollux reads messages of text but was given content of type " + content.type());
                })
                .collect(Collectors.joining("\n"));
    }

    static List<ChatMessage> toLangChain4j(List<Message> messages) {
        return messages.stream().map(Messages::message).toList();
    }

    private static ChatMessage message(Message message) {
        return switch (message.role()) {
            case "system" -> SystemMessage.from(message.content());
            case "user" -> UserMessage.from(message.content());
            case "assistant" ->
                AiMessage.builder()
                        .text(message.content())
                        .thinking(message.reasoning().isEmpty() ? null : message.reasoning())
                        .toolExecutionRequests(
                                message.calls().stream().map(Tools::request).toList())
                        .build();
            case "tool" -> result(message);
            default ->
                throw new UnsupportedFeatureException(
                        "LangChain4j reads the roles system, user, assistant and tool but was given " + message.role());
        };
    }

    private static ChatMessage result(Message message) {
        if (message.calls().size() != 1) {
            throw new IllegalArgumentException("A message of a tool must hold the call that it answers but held "
                    + message.calls().size() + "; use Message.tool");
        }
        return ToolExecutionResultMessage.from(Tools.request(message.calls().get(0)), message.content());
    }
}
