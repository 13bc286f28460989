package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The {@code adapter_config.json} of an adapter in PEFT's form. <em>Immutable.</em>
 */
public final class PeftConfig {

    /** The file of the settings. */
    public static final String CONFIG = "adapter_config.json";

    /** The file of the factors. */
    public static final String WEIGHTS = "adapter_model.safetensors";

    private static final double DEFAULT_ALPHA = 8;

    /** Ways to begin that leave the rest of each matrix as the base, or its rounded form. */
    private static final Set<String> CHANGED_BASES = Set.of("pissa", "olora", "corda", "loftq", "lora_ga");

    private static final List<String> OTHER_CHANGES = List.of(
            "layer_replication",
            "target_parameters",
            "use_qalora",
            "use_bdlora",
            "alora_invocation_tokens",
            "arrow_config",
            "kasa_config",
            "monteclora_config");

    private final Path folder;
    private final JsonNode json;
    private final List<Alpha> alphas = new ArrayList<>();

    private PeftConfig(Path folder, JsonNode json) {
        this.folder = folder;
        this.json = json;
        if (!json.isObject()) {
            throw new MalformedFileException(folder.resolve(CONFIG) + " must be a JSON object");
        }
        for (Map.Entry<String, JsonNode> entry : json.path("alpha_pattern").properties()) {
            ModulePattern pattern = new ModulePattern("The adapter " + folder + " has alpha_pattern", entry.getKey());
            alphas.add(new Alpha(pattern, entry.getValue().asDouble()));
        }
    }

    /**
     * The settings of an adapter; empty if {@code folder} has none.
     *
     * @throws dev.pollux.MalformedFileException if the file is no JSON object, or larger than 64 MiB
     */
    public static Optional<PeftConfig> read(Path folder) {
        return JsonFile.read(folder.resolve(CONFIG)).map(json -> new PeftConfig(folder, json));
    }

    /** The kind of adapter, such as {@code LORA}, which it is where nothing is said. */
    public String type() {
        return json.path("peft_type").asString("LORA");
    }

    /** Whether a setting such as {@code use_dora} is on. */
    public boolean is(String setting) {
        return json.path(setting).asBoolean(false);
    }

    /**
     * What it does that is neither a sum of products nor a module held whole nor a row of an embedding, in words that follow
     * "has"; empty if there is nothing of the kind. The base of some is another matrix than the model's, of others the change
     * depends on the text.
     */
    public Optional<String> otherChange() {
        if (!type().equals("LORA")) {
            return Optional.of("peft_type " + type() + ", which is no LoRA");
        }
        String init = setting("init_lora_weights").asString("");
        String method = init.toLowerCase(Locale.ROOT).split("_niter_", 2)[0];
        if (CHANGED_BASES.contains(method)) {
            return Optional.of(
                    "init_lora_weights " + init + ", which changes the matrices of the base when it is loaded; let"
                            + " PEFT convert it to a plain LoRA (save_pretrained with"
                            + " path_initial_model_for_weight_conversion)");
        }
        return OTHER_CHANGES.stream().filter(this::has).findFirst();
    }

    /** Whether a setting is given and neither off nor empty. */
    public boolean has(String setting) {
        JsonNode value = setting(setting);
        return value.isBoolean()
                ? value.asBoolean()
                : value.isObject() || value.isArray() ? !value.isEmpty() : !value.isMissingNode() && !value.isNull();
    }

    /** Whether a setting is a list. */
    public boolean isList(String setting) {
        return setting(setting).isArray();
    }

    /**
     * The rows of a module's matrix that the adapter holds new values of, in the order of the values; empty if there are none.
     * A list is for whichever module the adapter holds rows of, a table has a list for a module's name or the end of it.
     *
     * @throws MalformedFileException if they are no whole numbers from 0 on
     */
    public List<Integer> tokens(String module) {
        JsonNode tokens =
                has("trainable_token_indices") ? setting("trainable_token_indices") : setting("token_indices");
        JsonNode list = tokens;
        if (tokens.isObject()) {
            list = tokens.properties().stream()
                    .filter(entry -> module.equals(entry.getKey()) || module.endsWith("." + entry.getKey()))
                    .findFirst()
                    .map(Map.Entry::getValue)
                    .orElse(tokens.path("none"));
        }
        List<Integer> rows = new ArrayList<>();
        for (JsonNode token : list) {
            if (!token.isInt() || token.asInt() < 0) {
                throw new MalformedFileException("The adapter " + folder + " has the token " + token
                        + " in trainable_token_indices, which must be ids of tokens; get it again");
            }
            rows.add(token.asInt());
        }
        return rows;
    }

    /**
     * What the product of a module's factors is multiplied by: α/rank, or α/√rank for rsLoRA (arXiv 2312.03732). α is that of
     * the first key of {@code alpha_pattern} that matches the module's name or the end of it after a dot, as a regular
     * expression, else the adapter's, else 8.
     *
     * @param module its name as the adapter has it
     * @throws MalformedFileException if a key is no regular expression, or one that takes too long
     */
    public double scale(String module, int rank) {
        return alpha(module) / (is("use_rslora") ? Math.sqrt(rank) : rank);
    }

    private double alpha(String module) {
        for (Alpha alpha : alphas) {
            if (alpha.pattern().matches(module)) {
                return alpha.value();
            }
        }
        return json.path("lora_alpha").asDouble(DEFAULT_ALPHA);
    }

    /** The α of some modules. */
    private record Alpha(ModulePattern pattern, double value) {}

    /** The value of a setting. */
    JsonNode setting(String name) {
        return json.path(name);
    }
}
