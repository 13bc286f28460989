package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A folder with a tiktoken vocabulary: determines its file, its encoding, and its special tokens. */
final class TiktokenFolder {

    private static final String ENDING = ".tiktoken";
    /** Encodings by prefix of the model type, or otherwise of the tokenizer's class. */
    private static final Map<String, String> ENCODINGS = Map.of(
            "llama", "llama3",
            "qwen", "qwen",
            "kimi", "kimi",
            "deepseek_v3", "kimi", // the model type of Kimi K2
            "chatglm4", "glm4",
            "chatglm", "glm4",
            "glm", "glm4",
            "dbrx", "cl100k_base",
            "phi3small", "cl100k_base");

    private final ModelTexts texts;
    private final JsonNode tokenizer;
    private final String modelType;

    /**
     * @param tokenizer the {@code tokenizer_config.json}; a missing node if there is none
     * @param modelType the {@code model_type} of the configuration
     */
    TiktokenFolder(ModelTexts texts, JsonNode tokenizer, String modelType) {
        this.texts = texts;
        this.tokenizer = tokenizer;
        this.modelType = modelType;
    }

    /** The file of the vocabulary; empty if the folder has none. */
    Optional<Path> file() {
        for (String name : List.of("tokenizer.model", "tiktoken.model")) {
            Path file = texts.file(name);
            if (Files.isRegularFile(file) && Tokenizer.isTiktoken(file)) {
                return Optional.of(file);
            }
        }
        return vocabularies(texts.folder()).stream().findFirst();
    }

    /** The files of {@code folder} with a name suffix of tiktoken vocabularies, sorted. */
    static List<Path> vocabularies(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ENDING) && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
    }

    Tokenizer open(Path file, Map<String, Boolean> settings) {
        return Tokenizer.ofTiktoken(file, encoding(file), special(), settings);
    }

    private String encoding(Path file) {
        String name = file.getFileName().toString();
        String stem = name.endsWith(ENDING) ? name.substring(0, name.length() - ENDING.length()) : "";
        if (Tokenizer.tiktokenEncodings().contains(stem)) {
            return stem;
        }
        for (String kind : List.of(tokenizer.path("tokenizer_class").asString(""), modelType)) {
            String lower = kind.toLowerCase(Locale.ROOT);
            Optional<String> found = ENCODINGS.entrySet().stream()
                    .filter(entry -> lower.startsWith(entry.getKey()))
                    .max(Comparator.comparingInt(entry -> entry.getKey().length()))
                    .map(Map.Entry::getValue);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new UnsupportedModelException(file + ": how a model of the type '" + modelType
                + "' cuts text is not known, only the encodings " + Tokenizer.tiktokenEncodings()
                + "; use the model's tokenizer.json");
    }

    private Map<String, Integer> special() {
        Map<String, Integer> special = new LinkedHashMap<>();
        tokenizer.path("added_tokens_decoder").properties().forEach(entry -> {
            if (!entry.getKey().matches("[0-9]{1,9}")) {
                throw new MalformedFileException(texts.file("tokenizer_config.json")
                        + ": added_tokens_decoder must have ids for keys but has '" + entry.getKey() + "'");
            }
            special.put(entry.getValue().path("content").asString(""), Integer.parseInt(entry.getKey()));
        });
        return special;
    }
}
