package dev.pollux.inference.encoder;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.encoder.export.EncoderExport;
import dev.pollux.inference.encoder.export.EncoderWeights;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.tokenizer.AdditionalToken;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The folder of an encoder. It locates the model file, or exports one from a checkpoint, and reads the configurations of
 * transformers ({@code config.json}, {@code tokenizer_config.json}) and sentence-transformers ({@code modules.json} and the
 * files it names).
 */
final class EncoderFolder {

    /** The token limit if no configuration has one. */
    static final int DEFAULT_MAX_TOKENS = 512;

    private static final List<String> MODEL_FILES = List.of(
            "model.onnx",
            "onnx/model.onnx",
            "model_quantized.onnx",
            "onnx/model_quantized.onnx",
            "model_int8.onnx",
            "onnx/model_int8.onnx",
            "model_uint8.onnx",
            "onnx/model_uint8.onnx",
            "model_fp16.onnx",
            "onnx/model_fp16.onnx");
    private static final List<String> TRANSFORMER_CONFIGS = List.of(
            "sentence_bert_config.json",
            "sentence_roberta_config.json",
            "sentence_distilbert_config.json",
            "sentence_camembert_config.json",
            "sentence_albert_config.json",
            "sentence_xlm-roberta_config.json",
            "sentence_xlnet_config.json");
    /** Model types whose first position id is that of the padding token plus 1. */
    private static final Set<String> PADDED_POSITIONS = Set.of(
            "roberta",
            "roberta-prelayernorm",
            "xlm-roberta",
            "xlm-roberta-xl",
            "camembert",
            "mpnet",
            "longformer",
            "data2vec-text",
            "ibert",
            "xmod",
            "luke",
            "esm");
    /** A tokenizer without a limit has a huge model_max_length. */
    private static final long NO_LIMIT = 1 << 24;

    private final Path folder;
    private Path transformer;
    private List<Pooling> pooling = List.of(Pooling.MEAN);
    private boolean promptPooled = true;
    private final List<VectorLayer> layers = new ArrayList<>();

    private EncoderFolder(Path folder) {
        this.folder = folder;
        this.transformer = folder;
    }

    /** Reads everything but the model. */
    static EncoderFolder read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new StorageException(folder + " must be the folder of an ONNX encoder but is not a folder");
        }
        EncoderFolder read = new EncoderFolder(folder.toAbsolutePath().normalize());
        read.modules();
        return read;
    }

    private void modules() {
        Optional<JsonNode> modules = JsonFile.read(folder.resolve("modules.json"));
        if (modules.isEmpty()) {
            JsonFile.read(folder.resolve("1_Pooling").resolve("config.json")).ifPresent(this::pooling);
            return;
        }
        boolean pooled = false;
        for (JsonNode module : modules.get()) {
            String type = module.path("type").asString("");
            String kind = type.substring(type.lastIndexOf('.') + 1);
            Path home = inside(module.path("path").asString(""));
            if (!pooled && (kind.equals("Dense") || kind.equals("LayerNorm") || kind.equals("Normalize"))) {
                throw new UnsupportedModelException(
                        folder + "/modules.json: " + kind + " before the pooling is not supported");
            }
            switch (kind) {
                case "Transformer" -> transformer = home;
                case "Pooling" -> {
                    pooling(JsonFile.read(home.resolve("config.json")).orElse(JsonNode.missing()));
                    pooled = true;
                }
                case "Dense" -> layers.add(new LayerReader(home).dense());
                case "LayerNorm" -> layers.add(new LayerReader(home).layerNorm());
                case "Normalize" -> layers.add(new VectorLayer.Normalize());
                case "Dropout" -> {} // idle outside training
                default ->
                    throw new UnsupportedModelException(folder + "/modules.json: module '" + type
                            + "' is not supported, only Transformer, Pooling, Dense, LayerNorm, Normalize and Dropout");
            }
        }
    }

    private void pooling(JsonNode config) {
        promptPooled = config.path("include_prompt").asBoolean(true);
        JsonNode mode = config.path("pooling_mode");
        List<Pooling> found = new ArrayList<>();
        if (mode.isString()) {
            found.add(pooling(mode.asString()));
        } else if (mode.isArray()) {
            mode.forEach(name -> found.add(pooling(name.asString(""))));
        } else {
            Arrays.stream(Pooling.values())
                    .filter(candidate -> config.path(candidate.configFlag()).asBoolean(false))
                    .forEach(found::add);
        }
        pooling = found.isEmpty() ? List.of(Pooling.MEAN) : List.copyOf(found);
    }

    private Pooling pooling(String name) {
        return Arrays.stream(Pooling.values())
                .filter(candidate -> candidate.configName().equals(name))
                .findFirst()
                .orElseThrow(() -> new UnsupportedModelException(folder + ": pooling_mode '" + name
                        + "' is not supported, only "
                        + Arrays.stream(Pooling.values())
                                .map(Pooling::configName)
                                .toList()));
    }

    /**
     * The model file: named by the host, found, or written into {@code cache} from the checkpoint in the folder.
     *
     * @param weights how a checkpoint's matrices are stored
     * @param scores whether an exported model returns scores rather than vectors; an existing model file is used unchanged
     */
    ModelSource model(Optional<String> named, EncoderWeights weights, Path cache, boolean scores, JobContext context) {
        if (named.isPresent()) {
            Path file = inside(named.get());
            if (!Files.isRegularFile(file)) {
                throw new StorageException("There is no model file " + file + "; the folder has " + onnxFiles());
            }
            return ModelSource.of(file);
        }
        for (String name : MODEL_FILES) {
            for (Path home : List.of(folder, transformer)) {
                if (Files.isRegularFile(home.resolve(name))) {
                    return ModelSource.of(home.resolve(name));
                }
            }
        }
        List<Path> files = onnxFiles();
        if (files.isEmpty() && EncoderExport.isCheckpoint(transformer)) {
            if (EncoderExport.givesScores(transformer) != scores) {
                throw new UnsupportedModelException(folder
                        + (scores
                                ? " holds a model that gives vectors, not scores; open it with OnnxEmbedder"
                                : " holds a model that gives scores, not vectors; open it with OnnxReranker"));
            }
            tokenizer(); // fails before anything is written
            return exported(weights, cache, context);
        }
        if (files.isEmpty() && Files.isRegularFile(transformer.resolve("pytorch_model.bin"))) {
            throw new UnsupportedModelException(folder + " has its weights in pytorch_model.bin, which is a program and"
                    + " is not run; save the model as safetensors");
        }
        if (files.size() != 1) {
            throw new StorageException(folder + " must hold model.onnx or onnx/model.onnx but has " + files
                    + "; name the file with EmbedderOptions.file, or export the model to ONNX");
        }
        return ModelSource.of(folder.resolve(files.get(0)));
    }

    private ModelSource exported(EncoderWeights weights, Path cache, JobContext context) {
        Path graph = EncoderExport.cached(transformer, weights, cache, context);
        String content = EncoderExport.contentHash(transformer, cache, context);
        return ModelSource.exported(graph.resolve(EncoderExport.MODEL_FILE), content + " " + weights.name());
    }

    /** The {@code .onnx} files in the folder and in {@code onnx/}, relative to the folder. */
    private List<Path> onnxFiles() {
        List<Path> found = new ArrayList<>();
        for (Path home : List.of(folder, folder.resolve("onnx"))) {
            if (Files.isDirectory(home)) {
                try (Stream<Path> files = Files.list(home)) {
                    files.filter(file -> file.toString().endsWith(".onnx"))
                            .map(folder::relativize)
                            .sorted()
                            .forEach(found::add);
                } catch (IOException e) {
                    throw new StorageException("Cannot list " + home + ": " + e, e);
                }
            }
        }
        return found;
    }

    /** A tokenizer, and the JSON that determines it, for the fingerprint. */
    record Reading(Tokenizer tokenizer, String json) {}

    /**
     * The tokenizer, extended by the added tokens of its companion files for which the model has vectors; the caller closes
     * it.
     */
    @SuppressWarnings("ReferenceEquality") // whether a tokenizer was made anew
    Reading openTokenizer() {
        Path file = tokenizer();
        Tokenizer stored = Tokenizer.open(file);
        int rows = json("config.json").path("vocab_size").asInt(Integer.MAX_VALUE);
        int next = stored.vocabularySize();
        List<AdditionalToken> known = new ArrayList<>();
        for (AdditionalToken token : ModelTexts.in(file.resolveSibling("")).addedTokens()) {
            boolean isNew = stored.idOf(token.content()).isEmpty();
            if (!isNew || next < rows) {
                known.add(token);
                next += isNew ? 1 : 0;
            }
        }
        Tokenizer all = stored.adding(known);
        return new Reading(all, all == stored ? text(file) : all.toJson());
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** The tokenizer file. */
    private Path tokenizer() {
        for (Path home : List.of(folder, transformer, folder.resolve("onnx"))) {
            if (Files.isRegularFile(home.resolve("tokenizer.json"))) {
                return home.resolve("tokenizer.json");
            }
        }
        throw new StorageException(folder + " has no tokenizer.json; download it, or save the tokenizer as a fast one");
    }

    EncoderConfig config() {
        JsonNode config = json("config.json");
        boolean padded = PADDED_POSITIONS.contains(config.path("model_type").asString(""));
        int pad = Math.max(0, config.path("pad_token_id").asInt(padded ? 1 : 0));
        int firstPosition = padded ? pad + 1 : 0;
        OptionalInt positions = positions(config, firstPosition);
        JsonNode transformerConfig = transformerConfig();
        JsonNode prompts = json("config_sentence_transformers.json");
        return new EncoderConfig(
                String.valueOf(folder.getFileName()),
                pooling,
                promptPooled,
                List.copyOf(layers),
                prompt(prompts, "query"),
                prompt(prompts, "document", "passage", "corpus"),
                transformerConfig.path("do_lower_case").asBoolean(false),
                maxTokens(transformerConfig, positions),
                positions,
                firstPosition,
                pad,
                config.path("matryoshka_dimensions")
                        .valueStream()
                        .filter(JsonNode::isInt)
                        .map(JsonNode::asInt)
                        .sorted()
                        .toList(),
                prompts.path("truncate_dim").isInt()
                        ? OptionalInt.of(prompts.path("truncate_dim").asInt())
                        : OptionalInt.empty());
    }

    /** The activation of a cross-encoder's one logit: the logistic function unless the configuration names another. */
    Activation scoreActivation() {
        JsonNode config = json("config.json");
        String name = Stream.of(
                        config.path("sentence_transformers").path("activation_fn"),
                        config.path("sbert_ce_default_activation_function"),
                        json("config_sentence_transformers.json").path("activation_fn"))
                .filter(JsonNode::isString)
                .findFirst()
                .map(JsonNode::asString)
                .orElse("torch.nn.modules.activation.Sigmoid");
        return Activation.of(name)
                .orElseThrow(() -> new UnsupportedModelException(folder + ": activation_fn '" + name
                        + "' is not supported, only "
                        + Arrays.stream(Activation.values())
                                .map(Activation::torchName)
                                .toList()));
    }

    private OptionalInt positions(JsonNode config, int firstPosition) {
        for (String key : List.of("max_position_embeddings", "n_positions", "max_sequence_length")) {
            JsonNode value = config.path(key);
            if (value.isInt() && value.asInt() > firstPosition) {
                return OptionalInt.of(value.asInt() - firstPosition);
            }
        }
        return OptionalInt.empty();
    }

    private JsonNode transformerConfig() {
        return TRANSFORMER_CONFIGS.stream()
                .map(this::json)
                .filter(JsonNode::isObject)
                .findFirst()
                .orElse(JsonNode.missing());
    }

    private int maxTokens(JsonNode transformerConfig, OptionalInt positions) {
        long wanted = transformerConfig.path("max_seq_length").asLong(0);
        if (wanted < 1) {
            wanted = (long)
                    json("tokenizer_config.json").path("model_max_length").asDouble(0);
        }
        if (wanted < 1 || wanted > NO_LIMIT) {
            return positions.orElse(DEFAULT_MAX_TOKENS);
        }
        return (int) Math.min(wanted, positions.orElse(Integer.MAX_VALUE));
    }

    /** The prompt of the first of {@code names} that has one, else the default prompt, else none. */
    private static String prompt(JsonNode config, String... names) {
        JsonNode prompts = config.path("prompts");
        for (String name : names) {
            if (prompts.path(name).isString()) {
                return prompts.path(name).asString();
            }
        }
        return prompts.path(config.path("default_prompt_name").asString("")).asString("");
    }

    /** A configuration of the transformer, in its own folder or the main one. */
    private JsonNode json(String name) {
        return JsonFile.read(transformer.resolve(name))
                .or(() -> JsonFile.read(folder.resolve(name)))
                .orElse(JsonNode.missing());
    }

    /** The folder of the transformer's configuration and weights. */
    Path transformer() {
        return transformer;
    }

    /** A path named by a configuration or the host; it must stay inside the folder. */
    private Path inside(String name) {
        Path path = folder.resolve(name).normalize();
        if (!path.startsWith(folder)) {
            throw new MalformedFileException(folder + ": path '" + name + "' must stay within the folder");
        }
        return path;
    }
}
