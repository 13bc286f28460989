package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads plans for mixtures of experts in mergekit-moe's YAML format.
 *
 * <p>Errors in a plan's content become findings of the plan, and {@link MixtureMerger#plan} reports them with all other
 * problems. <em>Thread-safe.</em>
 */
public final class MixtureYaml {

    private static final int MAX_BYTES = 1 << 20;
    private static final int MAX_EXPERTS = 256;
    private static final List<String> TOP =
            List.of("base_model", "experts", "shared_experts", "gate_mode", "dtype", "experts_per_token");
    private static final List<String> EXPERT =
            List.of("source_model", "positive_prompts", "negative_prompts", "noise_scale", "residual_scale");

    private final List<MergeProblem> findings = new ArrayList<>();

    private MixtureYaml() {}

    /**
     * Reads a plan from a file of at most 1 MiB.
     *
     * @throws MalformedFileException if it is not YAML, or names no base model
     */
    public static MixturePlan read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            return parse(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /**
     * Parses a plan of at most 1 MiB.
     *
     * @throws MalformedFileException if it is not YAML, or names no base model
     */
    public static MixturePlan parse(String yaml) {
        if (yaml.length() > MAX_BYTES) {
            throw new MalformedFileException("A plan must be at most " + MAX_BYTES + " characters");
        }
        List<Object> documents = MergekitYaml.documents(yaml);
        if (documents.size() != 1) {
            throw new MalformedFileException(
                    "A plan for a mixture of experts must be one document but there are " + documents.size());
        }
        return new MixtureYaml().plan(documents.get(0));
    }

    private MixturePlan plan(Object document) {
        if (!(document instanceof Map<?, ?> given)) {
            throw new MalformedFileException("A plan must be a map of names to values; give base_model and experts");
        }
        Map<String, Object> top = SettingReader.merged(given);
        checkKeys("", top, TOP);
        String base = text(top.get("base_model"))
                .orElseThrow(() -> new MalformedFileException(
                        "base_model is missing; name the model that gives" + " attention, norms and embeddings"));
        List<MixturePlan.Expert> experts = experts("experts", top.get("experts"));
        if (experts.isEmpty()) {
            fatal("experts must name at least one model");
        }
        Object shared = top.get("shared_experts");
        return new MixturePlan(
                ModelReference.parse(base),
                experts,
                shared == null ? List.of() : experts("shared_experts", shared),
                gateMode(top.get("gate_mode")),
                text(top.get("dtype")),
                expertsPerToken(top.get("experts_per_token")),
                findings);
    }

    private List<MixturePlan.Expert> experts(String key, @Nullable Object value) {
        List<MixturePlan.Expert> experts = new ArrayList<>();
        if (!(value instanceof List<?> list)) {
            fatal(key + " must be a list but was " + value);
            return experts;
        }
        if (list.size() > MAX_EXPERTS) {
            fatal(key + " must be at most " + MAX_EXPERTS + " but are " + list.size());
            return experts;
        }
        for (Object entry : list) {
            String where = key + " " + (experts.size() + 1);
            if (!(entry instanceof Map<?, ?> given)) {
                fatal(where + " must be a map with source_model but was " + entry);
                continue;
            }
            Map<String, Object> map = SettingReader.merged(given);
            checkKeys(where + ": ", map, EXPERT);
            Optional<String> model = text(map.get("source_model"));
            if (model.isEmpty()) {
                fatal(where + " has no source_model; name a folder");
                continue;
            }
            experts.add(new MixturePlan.Expert(
                    ModelReference.parse(model.get()),
                    prompts(where + " positive_prompts", map.get("positive_prompts")),
                    prompts(where + " negative_prompts", map.get("negative_prompts")),
                    number(where + " noise_scale", map.get("noise_scale"), 0),
                    number(where + " residual_scale", map.get("residual_scale"), 1)));
        }
        return experts;
    }

    private List<String> prompts(String where, @Nullable Object value) {
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> list)) {
            fatal(where + " must be a list of texts but was " + value);
            return List.of();
        }
        List<String> prompts = new ArrayList<>();
        list.forEach(item -> text(item).ifPresentOrElse(prompts::add, () -> fatal(where + " must be texts")));
        return prompts;
    }

    private double number(String where, @Nullable Object value, double fallback) {
        if (value == null) {
            return fallback;
        }
        try {
            double number = Double.parseDouble(value.toString());
            if (Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        fatal(where + " must be a finite number but was " + value);
        return fallback;
    }

    private MixturePlan.GateMode gateMode(@Nullable Object value) {
        if (value == null) {
            return MixturePlan.GateMode.HIDDEN;
        }
        List<String> known = Arrays.stream(MixturePlan.GateMode.values())
                .map(mode -> mode.name().toLowerCase(Locale.ROOT))
                .toList();
        if (!known.contains(value.toString())) {
            fatal("gate_mode " + value + " is unknown" + Spelling.hint(value.toString(), known) + "; known are "
                    + String.join(", ", known));
            return MixturePlan.GateMode.RANDOM;
        }
        return MixturePlan.GateMode.valueOf(value.toString().toUpperCase(Locale.ROOT));
    }

    private int expertsPerToken(@Nullable Object value) {
        if (value == null) {
            return 2;
        }
        if (value instanceof Integer number && number >= 1) {
            return number;
        }
        fatal("experts_per_token must be a whole number from 1 but was " + value);
        return 1;
    }

    private static Optional<String> text(@Nullable Object value) {
        return value == null || value instanceof Map<?, ?> || value instanceof List<?>
                ? Optional.empty()
                : Optional.of(value.toString()).filter(text -> !text.isBlank());
    }

    private void checkKeys(String where, Map<String, Object> map, List<String> known) {
        for (String key : map.keySet()) {
            if (!known.contains(key)) {
                findings.add(MergeProblem.notice(
                        where + "unknown key " + key + Spelling.hint(key, known) + " has no effect"));
            }
        }
    }

    private void fatal(String message) {
        findings.add(MergeProblem.fatal(message));
    }
}
