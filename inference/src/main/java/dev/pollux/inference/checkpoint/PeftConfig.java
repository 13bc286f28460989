package dev.pollux.inference.checkpoint;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * The {@code adapter_config.json} of an adapter in PEFT's form. <em>Immutable.</em>
 */
public final class PeftConfig {

    /** The file of the settings. */
    public static final String CONFIG = "adapter_config.json";

    /** The file of the factors. */
    public static final String WEIGHTS = "adapter_model.safetensors";

    private static final double DEFAULT_ALPHA = 8;

    private final Path folder;
    private final JsonNode json;

    private PeftConfig(Path folder, JsonNode json) {
        this.folder = folder;
        this.json = json;
        if (!json.isObject()) {
            throw new MalformedFileException(folder.resolve(CONFIG) + " must be a JSON object");
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
     * What the product of a module's factors is multiplied by: α/rank, or α/√rank for rsLoRA (arXiv 2312.03732). α is that of
     * the first pattern that is the module's name or the end of it, else the adapter's, else 8.
     *
     * @throws UnsupportedModelException if a pattern is a regular expression
     */
    public double scale(String module, int rank) {
        return alpha(module) / (is("use_rslora") ? Math.sqrt(rank) : rank);
    }

    private double alpha(String module) {
        for (Map.Entry<String, JsonNode> entry : json.path("alpha_pattern").properties()) {
            String pattern = entry.getKey().startsWith("^") ? entry.getKey().substring(1) : entry.getKey();
            if (!pattern.matches("[A-Za-z0-9_.-]*")) {
                throw new UnsupportedModelException("The adapter " + folder + " has alpha_pattern " + entry.getKey()
                        + ", a regular expression; only names and ends of names can be read");
            }
            if (module.equals(pattern) || module.endsWith("." + pattern)) {
                return entry.getValue().asDouble();
            }
        }
        return json.path("lora_alpha").asDouble(DEFAULT_ALPHA);
    }

    /** The value of a setting. */
    JsonNode setting(String name) {
        return json.path(name);
    }
}
