package dev.pollux.inference.adapter;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The {@code adapter_config.json} of an adapter in PEFT's format. <em>Immutable.</em>
 */
public final class PeftConfig {

    /** The file of the settings. */
    public static final String CONFIG = "adapter_config.json";

    /** The file of the factors. */
    public static final String WEIGHTS = "adapter_model.safetensors";

    /** Empty settings: PEFT's defaults. */
    public static final PeftConfig DEFAULTS = new PeftConfig("The configuration", new ObjectNode());

    private static final int DEFAULT_RANK = 8;
    private static final double DEFAULT_ALPHA = 8;
    private static final String TRAINED_TOKENS = "TRAINABLE_TOKENS";

    /** Initializations that change the base matrix to the residual or to its quantized form. */
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

    private final String of; // for messages
    private final ObjectNode json;
    private final double alpha;
    private final List<ForModules> alphas;

    private PeftConfig(String of, ObjectNode json) {
        this.of = of;
        this.json = json;
        this.alpha = number("lora_alpha", json.path("lora_alpha"), DEFAULT_ALPHA);
        this.alphas = pattern("alpha_pattern");
    }

    private List<ForModules> pattern(String setting) {
        List<ForModules> values = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : json.path(setting).properties()) {
            ModulePattern pattern = new ModulePattern(of + " has " + setting, entry.getKey());
            values.add(new ForModules(pattern, number(setting + " " + entry.getKey(), entry.getValue(), Double.NaN)));
        }
        return values;
    }

    private double number(String setting, JsonNode value, double fallback) {
        double number = value.isMissingNode() || value.isNull() ? fallback : value.asDouble(Double.NaN);
        if (!Double.isFinite(number)) {
            throw new MalformedFileException(
                    of + " has " + setting + " " + value + ", which must be a finite number; download it again");
        }
        return number;
    }

    /**
     * The settings of an adapter; empty if {@code folder} has none.
     *
     * @throws dev.pollux.MalformedFileException if the file is no JSON object, or larger than 64 MiB
     */
    public static Optional<PeftConfig> read(Path folder) {
        return JsonFile.read(folder.resolve(CONFIG)).map(json -> {
            if (json instanceof ObjectNode object) {
                return new PeftConfig("The adapter " + folder, object);
            }
            throw new MalformedFileException(folder.resolve(CONFIG) + " must be a JSON object");
        });
    }

    /** The kind of adapter; default {@code LORA}. */
    public String type() {
        return json.path("peft_type").asString("LORA");
    }

    /** Whether a setting such as {@code use_dora} is true. */
    public boolean is(String setting) {
        return json.path(setting).asBoolean(false);
    }

    /**
     * A phrase to follow "has" that describes a change other than low-rank products, replaced modules and embedding rows;
     * empty if there is none. Such a change has a different base matrix or depends on the text.
     */
    public Optional<String> otherChange() {
        if (!type().equals("LORA") && !type().equals(TRAINED_TOKENS)) {
            return Optional.of("peft_type " + type() + ", which is not LoRA");
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

    /** Whether a setting is present and neither false nor empty. */
    public boolean has(String setting) {
        JsonNode value = setting(setting);
        return value.isBoolean()
                ? value.asBoolean()
                : value.isObject() || value.isArray() ? !value.isEmpty() : !value.isMissingNode() && !value.isNull();
    }

    /** Whether PEFT selects modules in all layers only by the suffix of their names. */
    public boolean targetsByName() {
        return setting("target_modules").isArray() && !has("layers_to_transform") && !has("exclude_modules");
    }

    /**
     * The tokens whose embedding rows the adapter replaces in a module, in the order of the stored values; empty if there
     * are none. In the settings, a list applies to every module with stored rows; a table has a list for each module name
     * or suffix.
     *
     * @throws MalformedFileException if they are not integers of at least 0
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
                throw new MalformedFileException(of + " has the token " + token
                        + " in trainable_token_indices, which must be ids of tokens; download it again");
            }
            rows.add(token.asInt());
        }
        return rows;
    }

    /**
     * The factor of a module's low-rank product: α/rank, or α/√rank for rsLoRA (arXiv 2312.03732). α comes from the first
     * key of {@code alpha_pattern}, a regular expression, that matches the module's name or its end after a dot; else from
     * the adapter; else it is 8.
     *
     * @param module the module's name in the adapter
     * @throws MalformedFileException if a key is not a regular expression, or matching exceeds a bound
     */
    public double scale(String module, int rank) {
        return alpha(module) / (is("use_rslora") ? Math.sqrt(rank) : rank);
    }

    private double alpha(String module) {
        return value(alphas, module).orElse(alpha);
    }

    /** Whether PEFT derives these scales of these modules from the settings. */
    boolean givesScales(Map<String, Integer> ranks, Map<String, Double> scales) {
        return scales.entrySet().stream()
                .allMatch(of -> scale(of.getKey(), ranks.getOrDefault(of.getKey(), 0)) == of.getValue());
    }

    /**
     * Whether PEFT derives these ranks of these modules from {@code r} and the first matching key of {@code rank_pattern}.
     */
    boolean givesRanks(Map<String, Integer> ranks) {
        List<ForModules> others = pattern("rank_pattern");
        double all = json.path("r").asInt(DEFAULT_RANK);
        return ranks.entrySet().stream()
                .allMatch(of -> value(others, of.getKey()).orElse(all) == (double) of.getValue());
    }

    private static Optional<Double> value(List<ForModules> values, String module) {
        return values.stream()
                .filter(of -> of.pattern().matches(module))
                .findFirst()
                .map(ForModules::value);
    }

    /** A value for the modules whose names match. */
    private record ForModules(ModulePattern pattern, double value) {}

    /** The value of a setting. */
    JsonNode setting(String name) {
        return json.path(name);
    }

    /** A copy of the settings. */
    ObjectNode json() {
        return json.deepCopy();
    }

    /** A builder with empty settings. */
    public static Builder builder() {
        return new Builder(new ObjectNode());
    }

    /** A builder with these settings. */
    public Builder toBuilder() {
        return new Builder(json());
    }

    /**
     * Builds settings. Ranks, scales and kinds of changes may be omitted: {@link LoraWriter#finish} derives them from the
     * adapter's tensors. <em>Not thread-safe: one thread at a time.</em>
     */
    public static final class Builder {

        private final ObjectNode json;

        private Builder(ObjectNode json) {
            this.json = json;
        }

        /** The name of the base model. */
        public Builder baseModel(String name) {
            json.put("base_model_name_or_path", name);
            return this;
        }

        /** The modules with factors, by name or suffix. */
        public Builder targetModules(Collection<String> modules) {
            return list("target_modules", modules);
        }

        /** Modules without factors although {@link #targetModules} matches them. */
        public Builder excludeModules(Collection<String> modules) {
            return list("exclude_modules", modules);
        }

        /** The modules that are stored whole, by suffix. */
        public Builder modulesToSave(Collection<String> modules) {
            return list("modules_to_save", modules);
        }

        /** The dropout probability of inputs in training, in [0, 1). */
        public Builder dropout(double share) {
            json.put("lora_dropout", share);
            return this;
        }

        /** Switches a setting, such as {@code use_rslora}. */
        public Builder set(String setting, boolean on) {
            json.put(setting, on);
            return this;
        }

        /** Sets a setting to a text. */
        public Builder set(String setting, String value) {
            json.put(setting, value);
            return this;
        }

        /** Sets those of the settings that are present to null, so that PEFT's defaults apply. */
        public Builder unset(Collection<String> settings) {
            settings.stream().filter(json::has).forEach(json::putNull);
            return this;
        }

        private Builder list(String setting, Collection<String> values) {
            ArrayNode array = json.putArray(setting);
            values.forEach(array::add);
            return this;
        }

        /**
         * The configuration.
         *
         * @throws MalformedFileException if a pattern in the initial settings is invalid
         */
        public PeftConfig build() {
            return new PeftConfig("The configuration", json.deepCopy());
        }
    }
}
