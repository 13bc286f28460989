package dev.pollux.generation;

/**
 * A call of a {@link Tool} by a model. <em>Immutable.</em>
 *
 * @param id tells calls of one conversation apart; empty where the model gives none
 * @param name of the tool
 * @param arguments a JSON object, as text, as the model wrote it; its content is not checked
 */
public record ToolCall(String id, String name, String arguments) {

    public ToolCall {
        Tool.checkName(name);
        Tool.checkObject("arguments", arguments);
    }

    /** A call without an id. */
    public static ToolCall of(String name, String arguments) {
        return new ToolCall("", name, arguments);
    }
}
