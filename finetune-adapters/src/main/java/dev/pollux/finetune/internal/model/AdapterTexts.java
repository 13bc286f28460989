package dev.pollux.finetune.internal.model;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tokenizer and the chat template that an adapter was trained with. They take precedence over those of the base, because
 * only the adapter's tokenizer has the tokens added for it.
 */
public record AdapterTexts(String adapter, Path folder) {

    private static final String TOKENIZER = "tokenizer.json";
    private static final String SETTINGS = "tokenizer_config.json";
    private static final String TEMPLATE = "chat_template.jinja";

    /** The files that define the special tokens. Files of another tokenizer would contradict them. */
    private static final List<String> OF_TOKENS = List.of("added_tokens.json", "special_tokens_map.json");

    /** Those in the folder of an adapter, if it has any. */
    static Optional<AdapterTexts> in(String adapter, Path folder) {
        return List.of(TOKENIZER, SETTINGS, TEMPLATE).stream()
                        .anyMatch(name -> Files.isRegularFile(folder.resolve(name)))
                ? Optional.of(new AdapterTexts(adapter, folder))
                : Optional.empty();
    }

    Optional<ObjectNode> tokenizer() {
        return JsonFile.object(folder.resolve(TOKENIZER));
    }

    Optional<String> chatTemplate() {
        return FolderContents.chatTemplate(folder);
    }

    /** Deletes the base's files in {@code target} that the adapter's own would contradict. */
    public void replace(Path target) throws IOException {
        if (chatTemplate().isPresent()) {
            Files.deleteIfExists(target.resolve(TEMPLATE));
            Files.deleteIfExists(target.resolve("chat_template.json"));
        }
        if (Files.isRegularFile(folder.resolve(SETTINGS))) {
            for (String name : OF_TOKENS) {
                Files.deleteIfExists(target.resolve(name));
            }
        }
    }

    /** The id of the end-of-text token, if both of its files define it. */
    public OptionalInt endToken() {
        JsonNode named = JsonFile.object(folder.resolve(SETTINGS))
                .map(settings -> settings.path("eos_token"))
                .orElseGet(JsonNode::missing);
        String token = named.isObject() ? named.path("content").asString("") : named.asString("");
        Optional<ObjectNode> tokens = tokenizer();
        if (token.isEmpty() || tokens.isEmpty()) {
            return OptionalInt.empty();
        }
        for (JsonNode added : tokens.get().path("added_tokens")) {
            if (added.path("content").asString("").equals(token)
                    && added.path("id").isInt()) {
                return OptionalInt.of(added.path("id").asInt());
            }
        }
        JsonNode id = tokens.get().path("model").path("vocab").path(token);
        return id.isInt() ? OptionalInt.of(id.asInt()) : OptionalInt.empty();
    }
}
