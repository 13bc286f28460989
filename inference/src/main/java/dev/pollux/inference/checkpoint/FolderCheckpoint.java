package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** A Hugging Face folder; {@code config.json} as transformers 4 and as transformers 5 writes it. */
final class FolderCheckpoint extends Checkpoint {

    private static final long MAX_TEXT = 8L << 20;
    private static final List<String> TEXTS = List.of(
            "config.json",
            "generation_config.json",
            "model.safetensors.index.json",
            "tokenizer.json",
            "tokenizer.model",
            "tokenizer_config.json",
            "chat_template.jinja");

    private final Settings settings;
    private final ModelConfig config;
    private final SafetensorsFolder files;
    private final TensorFile tensors;

    FolderCheckpoint(Path path) {
        super(path);
        JsonNode json = json("config.json")
                .orElseThrow(() ->
                        new MalformedFileException(path + " has no config.json; it is not the folder of a model"));
        String name = json.path("_name_or_path").asString("");
        Optional<JsonNode> inner = LanguageModel.of(json);
        this.settings = new Settings(path.resolve("config.json"), inner.orElse(json));
        this.config = new HubConfig(settings)
                .read(
                        name.isEmpty() ? path.toAbsolutePath().normalize().getFileName() + "" : name,
                        new Settings(
                                path.resolve("generation_config.json"),
                                json("generation_config.json").orElse(json)));
        this.files = SafetensorsFolder.open(path);
        try {
            TensorFile own = inner.isPresent() ? new LanguageModel(files) : files;
            Settings quantization = settings.at("quantization_config");
            this.tensors = quantization.isEmpty() ? own : new PackedTensors(own, quantization);
            if (config.architecture().equals("LlamaForCausalLM")) {
                LlamaLayout.check(path, config, tensors);
            }
        } catch (RuntimeException e) {
            files.close();
            throw e;
        }
    }

    private Optional<JsonNode> json(String name) {
        return text(name).map(text -> {
            try {
                return JsonMapper.shared().readTree(text);
            } catch (JacksonException e) {
                throw new MalformedFileException(path().resolve(name) + " is not JSON: " + e.getOriginalMessage(), e);
            }
        });
    }

    private Optional<String> text(String name) {
        Path file = path().resolve(name);
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_TEXT) {
                throw new MalformedFileException(file + " must be at most " + MAX_TEXT + " bytes");
            }
            return Optional.of(Files.readString(file));
        } catch (CharacterCodingException e) {
            throw new MalformedFileException(file + " is not UTF-8", e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public Settings settings() {
        return settings;
    }

    @Override
    public TensorFile tensors() {
        return tensors;
    }

    @Override
    public Optional<Tokenizer> tokenizer() {
        Path file = path().resolve("tokenizer.json");
        if (Files.isRegularFile(file)) {
            return Optional.of(Tokenizer.open(file));
        }
        TiktokenFolder tiktoken = new TiktokenFolder(
                path(),
                json("tokenizer_config.json").orElse(MissingNode.getInstance()),
                settings.text("model_type", ""));
        Optional<Path> ranks = tiktoken.file();
        if (ranks.isPresent()) {
            return Optional.of(tiktoken.open(ranks.get(), tokenizerSettings()));
        }
        Path pieces = path().resolve("tokenizer.model");
        return Files.isRegularFile(pieces)
                ? Optional.of(Tokenizer.ofSentencePiece(pieces, tokenizerSettings()))
                : Optional.empty();
    }

    private Map<String, Boolean> tokenizerSettings() {
        Map<String, Boolean> settings = new HashMap<>();
        for (String key : List.of("add_bos_token", "add_eos_token")) {
            json("tokenizer_config.json")
                    .map(json -> json.path(key))
                    .filter(JsonNode::isBoolean)
                    .ifPresent(value -> settings.put(key, value.asBoolean()));
        }
        return settings;
    }

    @Override
    public Optional<String> chatTemplate() {
        Optional<String> own = text("chat_template.jinja");
        if (own.isPresent()) {
            return own;
        }
        return json("tokenizer_config.json")
                .map(json -> json.path("chat_template"))
                .flatMap(template -> {
                    if (template.isArray()) { // [{name, template}, …]
                        return template.valueStream()
                                .filter(entry -> entry.path("name").asString("").equals("default"))
                                .map(entry -> entry.path("template").asString(""))
                                .findFirst();
                    }
                    return template.isString() ? Optional.of(template.asString()) : Optional.empty();
                });
    }

    @Override
    public SpecialTokens specialTokens() {
        return new SpecialTokens(token("bos_token"), token("eos_token"));
    }

    /** A token as its text, or as an object with its text in {@code content}. */
    private String token(String key) {
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
            JsonNode token = json(name).map(json -> json.path(key)).orElse(MissingNode.getInstance());
            String text = token.isObject() ? token.path("content").asString("") : token.asString("");
            if (!text.isEmpty()) {
                return text;
            }
        }
        return "";
    }

    @Override
    public List<Path> files() {
        Stream<Path> texts = TEXTS.stream().map(path()::resolve).filter(Files::isRegularFile);
        return Stream.concat(texts, files.files().stream()).sorted().toList();
    }

    @Override
    public void close() {
        tensors.close();
    }
}
