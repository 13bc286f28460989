package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.tokenizer.AdditionalToken;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.inference.tokenizer.TurnEnds;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of a model's folder other than the weights: configuration, tokenizer and chat template, with the file names of
 * Hugging Face. <em>Thread-safe.</em>
 */
public final class ModelTexts {

    private static final long MAX_TEXT = 8L << 20;
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    static final String SPECIAL_TOKENS = "special_tokens_map.json";
    static final String ADDED_TOKENS = "added_tokens.json";

    /** The names of all files that this class reads, so that hashing a folder omits none; see {@link #file}. */
    private static final List<String> NAMES = List.of(
            "config.json",
            "generation_config.json",
            "genai_config.json",
            "tokenizer.json",
            "tokenizer.model",
            "tiktoken.model",
            TOKENIZER_CONFIG,
            SPECIAL_TOKENS,
            ADDED_TOKENS,
            StoredTemplate.JINJA,
            StoredTemplate.PROCESSOR);

    private final Path folder;

    private ModelTexts(Path folder) {
        this.folder = folder;
    }

    /** The files in {@code folder}; each is read on access. */
    public static ModelTexts in(Path folder) {
        return new ModelTexts(folder);
    }

    /** The folder. */
    public Path folder() {
        return folder;
    }

    /** A file with one of the names above; it need not exist. */
    Path file(String name) {
        if (!NAMES.contains(name)) {
            throw new IllegalArgumentException("name must be one of " + NAMES + " but was " + name);
        }
        return folder.resolve(name);
    }

    /** The existing files that this class reads, sorted. A copy of the folder and its hash must include them. */
    public List<Path> files() {
        Stream<Path> named = NAMES.stream().map(folder::resolve).filter(Files::isRegularFile);
        return Stream.concat(named, TiktokenFolder.vocabularies(folder).stream())
                .sorted()
                .toList();
    }

    /**
     * The settings in a JSON file; empty if there is no such file.
     *
     * @param name one of the names above, such as {@code config.json}
     * @throws MalformedFileException if it is not JSON, or larger than 8 MiB
     */
    public Optional<Settings> settings(String name) {
        return json(name).map(json -> new Settings(file(name), json));
    }

    Optional<JsonNode> json(String name) {
        return text(name)
                .map(text -> text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text)
                .map(text -> JsonFile.parse(text.getBytes(StandardCharsets.UTF_8), file(name)));
    }

    Optional<String> text(String name) {
        Path file = file(name);
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

    /** Creates a tokenizer with the tokens that all files add, if there is one. The caller closes it. */
    public Optional<Tokenizer> tokenizer() {
        List<AdditionalToken> more = addedTokens();
        return stored().map(tokenizer -> tokenizer.adding(more));
    }

    /** The tokens that the files next to a {@code tokenizer.json} add to it, in the order in which they get their ids. */
    public List<AdditionalToken> addedTokens() {
        return new AddedTokens(this).read();
    }

    private Optional<Tokenizer> stored() {
        Path file = file("tokenizer.json");
        if (Files.isRegularFile(file)) {
            return Optional.of(Tokenizer.open(file));
        }
        TiktokenFolder tiktoken =
                new TiktokenFolder(this, json(TOKENIZER_CONFIG).orElse(JsonNode.missing()), modelType());
        Optional<Path> ranks = tiktoken.file();
        if (ranks.isPresent()) {
            return Optional.of(tiktoken.open(ranks.get(), tokenizerSettings()));
        }
        Path pieces = file("tokenizer.model");
        return Files.isRegularFile(pieces)
                ? Optional.of(Tokenizer.ofSentencePiece(pieces, tokenizerSettings()))
                : Optional.empty();
    }

    private String modelType() {
        return json("config.json")
                .map(json -> LanguageModel.of(json).orElse(json))
                .map(json -> json.path("model_type").asString(""))
                .orElse("");
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

    /** The source of the chat template, if there is one; see {@link StoredTemplate}. */
    public Optional<String> chatTemplate() {
        return new StoredTemplate(this).source();
    }

    /**
     * The publisher's recommended sampling, from {@code generation_config.json}, otherwise from the {@code search} of a
     * {@code genai_config.json} that enables sampling; empty if neither specifies it. (onnxruntime-genai also writes a search
     * if the publisher recommends none; it does not enable sampling.)
     */
    public Optional<GenerationOptions> sampling() {
        return json("generation_config.json")
                .flatMap(PublishedSampling::of)
                .or(() -> json("genai_config.json")
                        .map(config -> config.path("search"))
                        .filter(search -> search.path("do_sample").asBoolean(false))
                        .flatMap(PublishedSampling::of));
    }

    /** The tokens before and after a text, as the chat template writes them. */
    public SpecialTokens specialTokens() {
        return new SpecialTokens(token("bos_token"), token("eos_token"));
    }

    /**
     * The ids that end a turn, sorted: those in {@code config.json} and {@code generation_config.json}, the end tokens that
     * {@code tokenizer_config.json} and {@code special_tokens_map.json} spell, and the tokens of the vocabulary that are known
     * to end a turn; see {@link TurnEnds}.
     *
     * @param more ids from another file
     */
    public List<Integer> endTokens(Collection<Integer> more, Tokenizer tokenizer) {
        List<Integer> named = new ArrayList<>(namedEnds());
        named.addAll(more);
        List<String> spelled = Stream.of("tokenizer_config.json", "special_tokens_map.json")
                .map(file -> spelled(file, "eos_token"))
                .filter(token -> !token.isEmpty())
                .toList();
        return TurnEnds.of(named, spelled, tokenizer::idOf);
    }

    /** The ids in the configurations of the whole model and of its language model, sorted. */
    public List<Integer> namedEnds() {
        return Stream.of("config.json", "generation_config.json")
                .flatMap(file -> settings(file).stream())
                .flatMap(settings -> Stream.of(settings, settings.at("text_config")))
                .flatMap(settings -> settings.ids("eos_token_id").stream())
                .filter(id -> id >= 0)
                .distinct()
                .sorted()
                .toList();
    }

    /** Reads a token that is a string, or an object with its text in {@code content}. */
    private String token(String key) {
        boolean listed = json(TOKENIZER_CONFIG)
                .map(json -> json.path("added_tokens_decoder").isObject())
                .orElse(false);
        for (String name : // the first has precedence, as in AddedTokens
                listed ? List.of(TOKENIZER_CONFIG, SPECIAL_TOKENS) : List.of(SPECIAL_TOKENS, TOKENIZER_CONFIG)) {
            String text = spelled(name, key);
            if (!text.isEmpty()) {
                return text;
            }
        }
        return "";
    }

    private String spelled(String file, String key) {
        JsonNode token = json(file).map(json -> json.path(key)).orElse(JsonNode.missing());
        return token.isObject() ? token.path("content").asString("") : token.asString("");
    }
}
