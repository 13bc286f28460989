package dev.pollux.inference.template;

import dev.pollux.MalformedFileException;
import dev.pollux.generation.Message;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import dev.pollux.inference.internal.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Messages and tools as the values that templates read: those of the chat API, arguments and schemas as objects. */
final class ChatValues {

    private ChatValues() {}

    static Map<String, Object> of(Message message) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("role", message.role());
        map.put("content", message.content());
        if (!message.reasoning().isEmpty()) { // by the two names that templates have for it
            map.put("reasoning_content", message.reasoning());
            map.put("thinking", message.reasoning());
        }
        List<ToolCall> calls = message.calls();
        if (message.role().equals("tool") && calls.size() == 1) {
            putId(map, "tool_call_id", calls.get(0));
            map.put("name", calls.get(0).name());
        } else if (!calls.isEmpty()) {
            map.put("tool_calls", calls.stream().map(ChatValues::of).toList());
        }
        return map;
    }

    private static Map<String, Object> of(ToolCall call) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", call.name());
        function.put("arguments", object(call.arguments(), "The arguments of a call of " + call.name()));
        Map<String, Object> map = new LinkedHashMap<>();
        putId(map, "id", call);
        map.put("type", "function");
        map.put("function", function);
        return map;
    }

    static Map<String, Object> of(Tool tool) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        function.put("description", tool.description());
        function.put("parameters", object(tool.parameters(), "The parameters of tool " + tool.name()));
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("type", "function");
        map.put("function", function);
        return map;
    }

    private static void putId(Map<String, Object> map, String key, ToolCall call) {
        if (!call.id().isEmpty()) {
            map.put(key, call.id());
        }
    }

    private static @Nullable Object object(String json, String source) {
        try {
            return JsonNode.parse(json, source).toJava();
        } catch (MalformedFileException e) { // a text of the host's or the model's, no file
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
