package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A Hugging Face folder, with a {@code config.json} written by transformers 4 or 5. */
final class FolderCheckpoint extends Checkpoint {

    private static final String INDEX = "model.safetensors.index.json";

    private final ModelTexts texts;
    private final Settings settings;
    private final ModelConfig config;
    private final SafetensorsFolder files;
    private final TensorFile tensors;

    FolderCheckpoint(Path path) {
        super(path);
        this.texts = ModelTexts.in(path);
        JsonNode json = texts.json("config.json")
                .orElseThrow(() ->
                        new MalformedFileException(path + " has no config.json; it is not the folder of a model"));
        String name = json.path("_name_or_path").asString("");
        Optional<JsonNode> inner = LanguageModel.of(json);
        this.settings = new Settings(path.resolve("config.json"), inner.orElse(json));
        this.config = new HubConfig(settings)
                .read(name.isEmpty() ? path.toAbsolutePath().normalize().getFileName() + "" : name);
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
        return texts.tokenizer();
    }

    @Override
    public Optional<String> chatTemplate() {
        return texts.chatTemplate();
    }

    @Override
    public SpecialTokens specialTokens() {
        return texts.specialTokens();
    }

    @Override
    public List<Integer> endTokens() {
        Optional<Tokenizer> tokenizer = tokenizer();
        if (tokenizer.isEmpty()) {
            return config.known(texts.namedEnds());
        }
        try (Tokenizer open = tokenizer.get()) {
            return config.known(texts.endTokens(List.of(), open));
        }
    }

    @Override
    public Optional<GenerationOptions> sampling() {
        return texts.sampling();
    }

    @Override
    public List<Path> files() {
        Stream<Path> index = Stream.of(path().resolve(INDEX)).filter(Files::isRegularFile);
        Stream<Path> beside = Stream.concat(texts.files().stream(), index);
        return Stream.concat(beside, files.files().stream()).sorted().toList();
    }

    @Override
    public void close() {
        tensors.close();
    }
}
