package dev.pollux.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementJsonUtils;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.pollux.generation.Tool;
import dev.pollux.generation.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Translates tools and their calls. <em>Stateless, thread-safe.</em> */
final class Tools {

    private static final String NO_PARAMETERS = "{\"type\":\"object\",\"properties\":{}}";

    private Tools() {}

    static List<Tool> toPollux(@Nullable List<ToolSpecification> tools) {
        return tools == null ? List.of() : tools.stream().map(Tools::tool).toList();
    }

    private static Tool tool(ToolSpecification tool) {
        JsonObjectSchema parameters = tool.parameters();
        return new Tool(
                tool.name(),
                Objects.requireNonNullElse(tool.description(), ""),
                parameters == null ? NO_PARAMETERS : Json.toJson(JsonSchemaElementUtils.toMap(parameters)));
    }

    static List<ToolSpecification> toLangChain4j(List<Tool> tools) {
        return tools.stream().map(Tools::specification).toList();
    }

    private static ToolSpecification specification(Tool tool) {
        ToolSpecification.Builder specification =
                ToolSpecification.builder().name(tool.name()).description(tool.description());
        @SuppressWarnings("unchecked")
        Map<String, Object> schema = (Map<String, Object>) Json.fromJson(tool.parameters(), Map.class);
        if (!schema.isEmpty()) {
            JsonSchemaElement element = JsonSchemaElementJsonUtils.fromMap(schema);
            if (!(element instanceof JsonObjectSchema object)) {
                throw new IllegalArgumentException("parameters of tool " + tool.name()
                        + " must be a JSON Schema of an object but was " + tool.parameters());
            }
            specification.parameters(object);
        }
        return specification.build();
    }

    /** A call by the model; an id is absent where the model gives none. */
    static ToolExecutionRequest request(ToolCall call) {
        return ToolExecutionRequest.builder()
                .id(call.id().isEmpty() ? null : call.id())
                .name(call.name())
                .arguments(call.arguments())
                .build();
    }

    static ToolCall call(ToolExecutionRequest request) {
        String arguments = Objects.requireNonNullElse(request.arguments(), "");
        return new ToolCall(
                Objects.requireNonNullElse(request.id(), ""), request.name(), arguments.isBlank() ? "{}" : arguments);
    }
}
