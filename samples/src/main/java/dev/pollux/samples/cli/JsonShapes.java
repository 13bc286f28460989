package dev.pollux.samples.cli;

import dev.pollux.generation.Generation;
import dev.pollux.generation.Usage;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.retrieval.Location;
import dev.pollux.retrieval.Origin;
import dev.pollux.twin.Answer;
import dev.pollux.twin.Citation;
import dev.pollux.twin.Evidence;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The objects that {@code --json} prints, with their keys in the order in which the help names them. */
final class JsonShapes {

    private JsonShapes() {}

    static Map<String, Object> generation(Generation generation) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("text", generation.text());
        json.put("reasoning", generation.reasoning());
        json.put("finish", name(generation.finish()));
        json.put("usage", usage(generation.usage()));
        return json;
    }

    static Map<String, Object> answer(Answer answer) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("kind", name(answer.kind()));
        json.put("text", answer.text());
        json.put(
                "citations",
                answer.citations().stream().map(JsonShapes::citation).toList());
        json.put(
                "evidence",
                answer.evidence().stream()
                        .map(Evidence::citation)
                        .map(JsonShapes::citation)
                        .toList());
        json.put(
                "dropped",
                answer.dropped().stream()
                        .map(sentence -> Map.of("text", sentence.text(), "reason", sentence.reason()))
                        .toList());
        json.put("notices", answer.notices());
        json.put("groundedness", answer.groundedness());
        json.put("stop", answer.stop().map(JsonShapes::name).orElse("")); // empty where no model was asked
        json.put("usage", usage(answer.usage()));
        return json;
    }

    private static Map<String, Object> citation(Citation citation) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("number", citation.number());
        origin(json, citation.origin());
        json.put("heading", citation.heading());
        location(json, citation.location());
        json.put("quote", citation.quote());
        return json;
    }

    /** Adds where a text comes from. */
    static void origin(Map<String, Object> json, Origin origin) {
        json.put("source", origin.source());
        json.put("document", origin.document());
        json.put("path", origin.path());
        json.put("copies", origin.copies());
    }

    /** Adds where in its document a text is: lines, pages, or the cells of a sheet. */
    static void location(Map<String, Object> json, Location location) {
        if (location instanceof Location.Lines lines) {
            json.put("firstLine", lines.first());
            json.put("lastLine", lines.last());
        } else if (location instanceof Location.Pages pages) {
            json.put("page", pages.first());
            json.put("lastPage", pages.last());
        } else if (location instanceof Location.Cells cells) {
            json.put("sheet", cells.sheet());
            json.put("cell", cells.range());
        }
    }

    static Map<String, Object> usage(Usage usage) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("promptTokens", usage.promptTokens());
        json.put("cachedTokens", usage.cachedTokens());
        json.put("completionTokens", usage.completionTokens());
        json.put("draftedTokens", usage.draftedTokens());
        json.put("acceptedTokens", usage.acceptedTokens());
        json.put("loadMillis", usage.load().toMillis());
        json.put("prefillMillis", usage.prefill().toMillis());
        json.put("decodeMillis", usage.decode().toMillis());
        return json;
    }

    /** A value as a tree: of a record its components by name, of anything that JSON has no form for its text. */
    static JsonNode tree(@Nullable Object value) {
        if (value instanceof Record facts) {
            ObjectNode object = new ObjectNode();
            for (RecordComponent component : facts.getClass().getRecordComponents()) {
                object.set(component.getName(), tree(component(facts, component)));
            }
            return object;
        }
        if (value instanceof Map<?, ?> map) {
            ObjectNode object = new ObjectNode();
            map.forEach((key, element) -> object.set(String.valueOf(key), tree(element)));
            return object;
        }
        if (value instanceof Collection<?> elements) {
            ArrayNode array = new ArrayNode();
            elements.forEach(element -> array.add(tree(element)));
            return array;
        }
        boolean plain = value == null || value instanceof Number || value instanceof Boolean;
        return JsonNode.of(plain ? value : String.valueOf(value));
    }

    private static @Nullable Object component(Record facts, RecordComponent component) {
        try {
            Method accessor = component.getAccessor();
            accessor.setAccessible(true);
            return accessor.invoke(facts);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Cannot read " + component, e);
        }
    }

    /** A constant as JSON has it: {@code end_of_text}. */
    static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
