package dev.pollux.finetune.merge;

import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import dev.pollux.finetune.internal.model.ConfigSections;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.TypeNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reports settings that change the computation and differ between the models of a merge, although the tensors fit. */
final class ConfigDifferences {

    /** Settings that do not change the computation of a layer, or that the merge itself sets. */
    private static final Pattern IGNORED = Pattern.compile(
            "_.*|.*_version|version|torch_dtype|dtype|use_cache|.*dropout.*"
                    + "|.*_token_ids?|.*_token_index|initializer.*|init_.*|.*_init|.*_initializer|auto_map|.*attn_implementation"
                    + "|unsloth.*|quantization.*|compression_config|task_specific_params|id2label|label2id|pretraining_tp|output_.*"
                    + "|return_dict.*|gradient_checkpointing.*|torchscript|pruned_heads|problem_type|finetuning_task|summary_.*"
                    + "|.*loss.*|.*z_loss.*|(?:max|min)_length|do_sample|temperature|top_[kp]|num_(?:return|beam).*|.*_penalty"
                    + "|is_decoder|is_encoder_decoder|add_cross_attention|tie_encoder_decoder|chunk_size_feed_forward|use_bfloat16"
                    + "|num_hidden_layers|n_layers?|num_layers|num_transformer_layers|vocab_size|tokenizer_class|name_or_path"
                    + "|model_name|prefix|language|license|tie_word_embeddings|rope_theta|rope_scaling|rope_parameters|text_config"
                    + "|llm_config|language_config|.*_config_dict|num_nextn_predict_layers|training.*|seq_length|use_flash_attn.*");

    /** Settings that change the computation even if only one model sets them; false, 0 and 1 count as not set. */
    private static final Set<String> ALONE = Set.of(
            "sliding_window",
            "final_logit_softcapping",
            "attn_logit_softcapping",
            "embedding_multiplier",
            "residual_multiplier",
            "attention_multiplier",
            "logits_scaling",
            "partial_rotary_factor",
            "attention_bias",
            "mlp_bias",
            "use_qk_norm");

    private static final String TOKENIZER = "tokenizer.json";
    private static final int MAX_SHOWN = 60;
    private static final double THETA = 10_000;

    private final InputModel donor;
    private final List<InputModel> others;
    private final boolean stacked;
    private final Problems problems;

    /**
     * @param donor the model that provides the configuration of the result
     * @param others the other models
     * @param stacked whether layers are restacked, so that settings of single layers may differ
     */
    ConfigDifferences(InputModel donor, List<InputModel> others, boolean stacked, Problems problems) {
        this.donor = donor;
        this.others = others;
        this.stacked = stacked;
        this.problems = problems;
    }

    /**
     * Reports all differences.
     *
     * @param head whether the result stores a head
     */
    void note(boolean head) {
        Map<String, JsonNode> kept = settings(donor.config());
        Map<String, Map<String, List<String>>> differences = new LinkedHashMap<>(); // setting → value → models
        for (InputModel other : others) {
            Map<String, JsonNode> settings = settings(other.config());
            TreeSet<String> keys = new TreeSet<>(kept.keySet());
            keys.addAll(ALONE);
            for (String key : keys) {
                JsonNode own = settings.get(key);
                boolean differs = own == null || !kept.containsKey(key)
                        ? ALONE.contains(key) && isSet(own) != isSet(kept.get(key))
                        : !isSame(kept.get(key), own);
                if (differs && !isDerived(key, other)) {
                    differences
                            .computeIfAbsent(key, name -> new LinkedHashMap<>())
                            .computeIfAbsent(shown(own), value -> new ArrayList<>())
                            .add(other.label());
                }
            }
        }
        differences.forEach((key, values) -> {
            String end = key.equals("tie_word_embeddings")
                    ? head ? "; the result has a head of its own" : "; the result ties its head to its embedding"
                    : "";
            problems.notice(key + " is " + shown(kept.get(key)) + " in " + donor.label()
                    + (end.isEmpty() ? ", which the result keeps, but " : " but ")
                    + values.entrySet().stream()
                            .map(value -> value.getKey() + " in " + String.join(", ", value.getValue()))
                            .collect(Collectors.joining(" and "))
                    + end);
        });
    }

    private static boolean isSet(@Nullable JsonNode value) {
        return value != null
                && (value.isBoolean() ? value.asBoolean() : value.asDouble(0) != 0 && value.asDouble(0) != 1);
    }

    @SuppressWarnings("ReferenceEquality") // whether it is a section or the whole configuration
    private Map<String, JsonNode> settings(ObjectNode config) {
        Map<String, JsonNode> settings = new TreeMap<>();
        put("", config, settings);
        ObjectNode text = ConfigSections.text(config);
        if (text != config) {
            put("", text, settings);
        }
        for (String key : List.of("architectures", "model_type")) {
            if (config.has(key)) {
                settings.put(key, config.get(key));
            }
        }
        if (!text.path("use_sliding_window").asBoolean(true)) {
            settings.remove("sliding_window");
        }
        settings.putAll(rotary(text));
        settings.putAll(heads(text));
        JsonNode tied = config.has("tie_word_embeddings")
                ? config.path("tie_word_embeddings")
                : text.path("tie_word_embeddings");
        if (tied.isBoolean()) {
            settings.put("tie_word_embeddings", tied);
        }
        return settings;
    }

    private void put(String prefix, ObjectNode section, Map<String, JsonNode> into) {
        Set<String> byLayer =
                List.of(LayerRules.values()).stream().map(LayerRules::key).collect(Collectors.toSet());
        section.properties().forEach(entry -> {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            if (IGNORED.matcher(key).matches() || value.isNull()) {
                return;
            }
            if (value instanceof ObjectNode nested) {
                if (prefix.length() < 100) {
                    put(prefix + key + ".", nested, into);
                }
            } else if (!stacked || !(value instanceof ArrayNode) && !byLayer.contains(key)) {
                into.put(prefix + key, value);
            }
        });
    }

    /** The rotary settings in one form, independent of the version of transformers. */
    private static Map<String, JsonNode> rotary(ObjectNode section) {
        Map<String, JsonNode> settings = new TreeMap<>();
        ObjectNode scaling = new ObjectNode();
        for (String key : List.of("rope_scaling", "rope_parameters")) {
            if (section.get(key) instanceof ObjectNode given) {
                given.properties().forEach(entry -> scaling.set(entry.getKey(), entry.getValue()));
            }
        }
        JsonNode theta = Optional.ofNullable(scaling.remove("rope_theta")).orElse(section.path("rope_theta"));
        if (!theta.isMissingNode() && !theta.isNull()) {
            settings.put("rope_theta", theta);
        } else if (section.has("rms_norm_eps")) { // Llama-style, for which this is the default
            settings.put("rope_theta", new ObjectNode().put("it", THETA).path("it"));
        }
        JsonNode type = Optional.ofNullable(scaling.remove("type")).orElse(scaling.path("rope_type"));
        scaling.remove("rope_type");
        String name = type.asString("default");
        settings.put(
                "rope_scaling",
                name.equals("default") && scaling.isEmpty() ? new ObjectNode() : scaling.put("rope_type", name));
        return settings;
    }

    /** Whether the setting is absent from both configurations and differs only because another setting does. */
    private boolean isDerived(String key, InputModel other) {
        return List.of("num_key_value_heads", "head_dim").contains(key)
                && !ConfigSections.text(donor.config()).has(key)
                && !ConfigSections.text(other.config()).has(key);
    }

    /** The numbers of heads, with defaults for absent ones. */
    private static Map<String, JsonNode> heads(ObjectNode section) {
        Map<String, JsonNode> settings = new TreeMap<>();
        JsonNode heads = section.path("num_attention_heads");
        JsonNode own = section.path("num_key_value_heads");
        if (heads.isInt() && (own.isMissingNode() || own.isNull())) {
            settings.put("num_key_value_heads", heads);
        }
        JsonNode size = section.path("head_dim");
        if (heads.isInt() && heads.asInt() > 0 && (size.isMissingNode() || size.isNull())) {
            int width = section.path("hidden_size").asInt(0);
            settings.put(
                    "head_dim",
                    new ObjectNode().put("it", width / heads.asInt()).path("it"));
        }
        return settings;
    }

    private static boolean isSame(@Nullable JsonNode one, JsonNode other) {
        if (one == null) {
            return false;
        }
        if (one.isNumber() && other.isNumber()) {
            return one.asDouble() == other.asDouble();
        }
        if (one instanceof ArrayNode a && other instanceof ArrayNode b) {
            boolean same = a.size() == b.size();
            for (int i = 0; same && i < a.size(); i++) {
                same = isSame(a.path(i), b.path(i));
            }
            return same;
        }
        if (one instanceof ObjectNode a && other instanceof ObjectNode b) {
            return a.propertyNames().equals(b.propertyNames())
                    && a.propertyNames().stream().allMatch(key -> isSame(a.get(key), b.path(key)));
        }
        return one.equals(other);
    }

    private static String shown(@Nullable JsonNode value) {
        if (value instanceof ObjectNode object && object.isEmpty()) {
            return "not set";
        }
        if (value instanceof ArrayNode list && list.size() == 1) {
            return shown(list.get(0));
        }
        String text = value == null ? "not set" : value.isString() ? value.asString() : value.toString();
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
    }

    /**
     * Reports models with different weight types if the plan names no type.
     *
     * @param ofBase whether the result gets the type of the base
     */
    void noteTypes(boolean ofBase) {
        Map<DType, List<String>> types = new LinkedHashMap<>();
        types.computeIfAbsent(donor.mainType(), type -> new ArrayList<>()).add(donor.label());
        others.forEach(other -> types.computeIfAbsent(other.mainType(), type -> new ArrayList<>())
                .add(other.label()));
        if (types.size() > 1) {
            problems.notice("the plan names no dtype, and the weights are stored as "
                    + types.entrySet().stream()
                            .map(type -> TypeNames.of(type.getKey()) + " in " + String.join(", ", type.getValue()))
                            .collect(Collectors.joining(" and "))
                    + "; each tensor is written " + (ofBase ? "as in the base" : "as float32 where they differ")
                    + ", give dtype for another type");
        }
    }

    /** Reports tokenizers with different token ids: a merge without a tokenizer section mixes their embedding rows. */
    void noteTokenizers() {
        Optional<Map<String, Integer>> kept = tokens(donor);
        for (InputModel other : others) {
            if (kept.isEmpty() || isSameTokenizer(other)) {
                continue;
            }
            tokens(other).ifPresent(ids -> {
                List<String> moved = ids.entrySet().stream()
                        .filter(token ->
                                !token.getValue().equals(kept.get().getOrDefault(token.getKey(), token.getValue())))
                        .map(Map.Entry::getKey)
                        .toList();
                if (!moved.isEmpty()) {
                    problems.notice("the tokenizer of " + other.label() + " gives " + moved.size() + " tokens, such as "
                            + shown(JsonNode.of(moved.get(0))) + ", other numbers than that of "
                            + donor.label() + ", which the result keeps; a tokenizer section would merge by token");
                }
            });
        }
    }

    private boolean isSameTokenizer(InputModel other) {
        Optional<Path> own =
                donor.folder().map(folder -> folder.resolve(TOKENIZER)).filter(Files::isRegularFile);
        Optional<Path> file =
                other.folder().map(folder -> folder.resolve(TOKENIZER)).filter(Files::isRegularFile);
        try {
            return own.isPresent() && file.isPresent() && Files.mismatch(own.get(), file.get()) < 0;
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file.orElseThrow() + ": " + e, e);
        }
    }

    /** The tokens; empty if there is no readable tokenizer. The merge does not need one. */
    private static Optional<Map<String, Integer>> tokens(InputModel model) {
        try {
            return model.tokenizer().isPresent()
                    ? Optional.of(TokenTable.of(model).ids())
                    : Optional.empty();
        } catch (PolluxException e) {
            return Optional.empty();
        }
    }
}
