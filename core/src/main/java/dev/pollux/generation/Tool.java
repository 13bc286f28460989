package dev.pollux.generation;

/**
 * A function of the host that a model may ask it to call. The model writes a {@link ToolCall}; the host decides whether to
 * call, and says what came of it with {@link Message#tool}. <em>Immutable.</em>
 *
 * @param name not blank
 * @param description what it does, for the model
 * @param parameters JSON Schema of its arguments, an object, as text
 */
public record Tool(String name, String description, String parameters) {

    public Tool {
        checkName(name);
        checkObject("parameters", parameters);
    }

    static void checkName(String name) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("name must not be blank; give the name of a function");
        }
    }

    static void checkObject(String what, String json) {
        String stripped = json.strip();
        if (!stripped.startsWith("{") || !stripped.endsWith("}")) {
            throw new IllegalArgumentException(
                    what + " must be a JSON object but was '" + json + "'; write {} for none");
        }
    }
}
