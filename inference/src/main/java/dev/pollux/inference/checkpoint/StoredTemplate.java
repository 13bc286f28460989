package dev.pollux.inference.checkpoint;

import dev.pollux.inference.internal.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Selects the chat template of a folder.
 *
 * <p>The first of these files that contains one is used:
 *
 * <ol>
 * <li>{@code chat_template.jinja}, which is the template
 * <li>{@code tokenizer_config.json}, in its {@code chat_template}
 * <li>{@code chat_template.json}, which processors of transformers write, in its {@code chat_template}
 * </ol>
 *
 * <p>{@code chat_template} is a string, a list of {@code {"name": …, "template": …}} or an object of templates by name. Of
 * several templates the one named {@code default} is used; a single one is used whatever its name.
 */
final class StoredTemplate {

    static final String JINJA = "chat_template.jinja";
    static final String PROCESSOR = "chat_template.json";

    private static final String DEFAULT = "default";
    private static final int MOST_NAMED = 10;

    private final ModelTexts texts;
    private Optional<String> undecided = Optional.empty();

    StoredTemplate(ModelTexts texts) {
        this.texts = texts;
    }

    /**
     * If there are several named templates and none is the default, the result is a template that fails with an explanation,
     * because raw text needs no template.
     */
    Optional<String> source() {
        return texts.text(JINJA)
                .or(() -> in(ModelTexts.TOKENIZER_CONFIG))
                .or(() -> in(PROCESSOR))
                .or(() -> undecided);
    }

    private Optional<String> in(String file) {
        Map<String, String> named =
                named(texts.json(file).map(json -> json.path("chat_template")).orElse(JsonNode.missing()));
        if (named.size() <= 1) {
            return named.values().stream().findFirst();
        }
        if (undecided.isEmpty() && !named.containsKey(DEFAULT)) {
            undecided = Optional.of(refusal(file, named));
        }
        return Optional.ofNullable(named.get(DEFAULT));
    }

    private static Map<String, String> named(JsonNode template) {
        Map<String, String> named = new LinkedHashMap<>();
        if (template.isArray()) {
            template.forEach(entry -> named.putIfAbsent(
                    entry.path("name").asString(""), entry.path("template").asString("")));
        } else if (template.isObject()) {
            template.properties()
                    .forEach(entry -> named.put(entry.getKey(), entry.getValue().asString("")));
        } else {
            named.put(DEFAULT, template.asString(""));
        }
        named.values().removeIf(String::isEmpty);
        return named;
    }

    /** Names are untrusted, so only their word characters are put into a template. */
    private static String refusal(String file, Map<String, String> named) {
        String names = String.join(
                ", ",
                named.keySet().stream()
                        .limit(MOST_NAMED)
                        .map(name -> name.replaceAll("[^\\w.-]", "?"))
                        .toList());
        return "{{ raise_exception('" + file + " has the chat templates " + names
                + " and none called default; copy the one to" + " use into chat_template.jinja') }}";
    }
}
