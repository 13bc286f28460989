package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.ConfigSections;
import dev.pollux.finetune.internal.model.PredictionLayers;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Rewrites the per-layer settings of a configuration for the layers of a stack. */
final class StackedConfig {

    /*
     * A configuration has per-layer settings in five forms:
     *
     *   a list with an entry per layer         layer_types, no_rope_layers, block_configs; whatever is as long as the stack
     *   a string with a letter per layer       hybrid_override_pattern
     *   a list that repeats along the layers  block_types
     *   a list of numbers of layers           mlp_only_layers, full_attn_idxs; from 0, or from 1 in linear_attn_config
     *   arithmetic on the number              first_k_dense_replace, attn_layer_period (LayerRules)
     *
     * All forms except arithmetic are also searched in nested objects, such as attn_config. Excluded are objects with their
     * own layer count, such as a vision tower, and objects that do not describe layers.
     *
     * Each layer of the result has an origin (model, layer) and gets the setting of that layer in that model's configuration,
     * or the donor's setting if there is none. The origin is in the base or, without a base, in the first source of the slice.
     */

    /** Lists that do not describe layers, even if they have the length of a stack. */
    private static final Set<String> NO_LAYERS = Set.of(
            "architectures",
            "keys_to_ignore_at_inference",
            "bad_words_ids",
            "mrope_section",
            "time_step_limit",
            "time_step_range",
            "loss_type",
            "image_grid_pinpoints",
            "suppress_tokens",
            "begin_suppress_tokens",
            "rope_parameters",
            "rope_scaling");

    private static final Set<String> REPEATED = Set.of("block_types", "_block_types");

    private static final Set<String> LETTERS =
            Set.of("hybrid_override_pattern", "hybrid_layer_pattern", "layer_pattern");

    private static final Set<String> NUMBERS = Set.of(
            "attn_layer_indices",
            "full_attn_idxs",
            "mlp_only_layers",
            "moe_layers",
            "hybrid_layer_ids",
            "cross_attention_layers",
            "global_attn_idx",
            "attn_layer_idx",
            "moe_layers_enum");

    private static final Pattern NUMBERS_BY_NAME = Pattern.compile(
            ".*(?:_layers|_layer_ids|_layer_idx|_layer_idxs|_layer_indices|_layer_indexes|_idx|_idxs|_indices)");

    private static final Pattern PERIODS =
            Pattern.compile(".*_(?:every|every_n_layers|interval|period|freq|frequency|step|stride|share_factor)");

    /** Objects whose lists do not describe layers. */
    private static final Pattern NO_PARTS = Pattern.compile(
            "rope_.*|quantization_config|compression_config|id2label|label2id"
                    + "|auto_map|.*generation_config|task_specific_params|.*(?:vision|visual|audio|speech|image|video|projector).*");

    /** Keys of an object's own layer count. */
    private static final Pattern OWN_COUNT =
            Pattern.compile("(?:num_|n_)?(?:hidden_|encoder_|decoder_|transformer_)?(?:layers?|blocks?)|depth");

    /** The settings of Kimi Linear, whose layer numbers begin at 1. */
    private static final String FROM_ONE = "linear_attn_config";

    private record Origin(ObjectNode section, int layers, int layer) {

        /** The same layer in an object of the section. */
        Origin in(String key) {
            ObjectNode part = section.get(key) instanceof ObjectNode inner ? inner : new ObjectNode();
            return new Origin(part, layers, layer);
        }
    }

    private final List<Origin> origins;
    private final boolean predictionKept;
    private final Problems problems;

    private StackedConfig(List<Origin> origins, boolean predictionKept, Problems problems) {
        this.origins = origins;
        this.predictionKept = predictionKept;
        this.problems = problems;
    }

    private static List<Origin> origins(List<Stack.Level> stack) {
        List<Origin> origins = new ArrayList<>();
        for (Stack.Level level : stack) {
            if (level.parts().isEmpty()) {
                continue;
            }
            Stack.Part part = level.base().orElse(level.parts().get(0));
            ObjectNode section = ConfigSections.text(part.model().config());
            int layers = ConfigSections.layers(section).orElse(part.layers().to());
            for (int i = 0; i < part.layers().size(); i++) {
                origins.add(new Origin(section, layers, part.layers().from() + i));
            }
        }
        return origins;
    }

    /**
     * Converts a copy of the donor's configuration to that of the stack.
     *
     * @param predictionKept whether the result keeps layers of multi-token prediction
     * @param problems receives settings that cannot be converted
     */
    static void follow(ObjectNode config, List<Stack.Level> stack, boolean predictionKept, Problems problems) {
        if (stack.isEmpty()) {
            return; // a mixture keeps the layers of its base
        }
        StackedConfig stacked = new StackedConfig(origins(stack), predictionKept, problems);
        for (ObjectNode section : ConfigSections.of(config)) {
            stacked.follow(section);
        }
        if (!predictionKept) {
            PredictionLayers.none(config);
        }
    }

    private void follow(ObjectNode section) {
        ObjectNode donor = section.deepCopy();
        int n = origins.size();
        int before = ConfigSections.layers(donor).orElse(n);
        ConfigSections.COUNTS.stream().filter(section::has).forEach(key -> section.put(key, n));
        for (String key : List.copyOf(donor.propertyNames())) {
            follow(key, donor, before, section);
        }
        attentionTypes(donor, before, section);
        if (!predictionKept) {
            PredictionLayers.none(section);
        }
        rules(donor, before, section);
    }

    private void follow(String key, ObjectNode donor, int before, ObjectNode into) {
        JsonNode value = donor.path(key);
        if (isNumbers(key, value, before)) {
            into.set(key, numbers(key, value));
        } else if (key.equals("moe_layers_enum") && value.isString()) {
            into.put(key, text(numbers(key, numbersOf(value))));
        } else if (key.equals(FROM_ONE) && value instanceof ObjectNode inner) {
            ObjectNode section = inner.deepCopy();
            for (String name : List.copyOf(inner.propertyNames())) {
                if (NUMBERS_BY_NAME.matcher(name).matches() && inner.get(name) instanceof ArrayNode) {
                    section.set(name, fromOne(name, donor));
                }
            }
            into.set(key, section);
        } else if (value.isString() && isLetters(key, value.asString(), before)) {
            into.put(key, letters(key, value.asString()));
        } else if (value instanceof ArrayNode list && isByLayer(key, list, before)) {
            into.set(key, list(key, list, before));
        } else if (value instanceof ObjectNode inner && isPart(key, inner)) {
            StackedConfig part = new StackedConfig(
                    origins.stream().map(origin -> origin.in(key)).toList(), predictionKept, problems);
            ObjectNode section = inner.deepCopy();
            inner.propertyNames().forEach(name -> part.follow(name, inner, before, section));
            into.set(key, section);
        }
    }

    private static boolean isPart(String key, ObjectNode inner) {
        return !NO_PARTS.matcher(key).matches()
                && inner.propertyNames().stream()
                        .noneMatch(name -> OWN_COUNT.matcher(name).matches()
                                && inner.path(name).isInt());
    }

    private static boolean isByLayer(String key, ArrayNode list, int layers) {
        if (NO_LAYERS.contains(key) || key.endsWith("_token_id") || key.endsWith("_token_ids") || list.isEmpty()) {
            return false;
        }
        return list.size() == layers || REPEATED.contains(key) || key.equals("layer_types");
    }

    /** Converts a list with an entry per layer; further entries belong to layers of multi-token prediction. */
    private ArrayNode list(String key, ArrayNode own, int before) {
        ArrayNode followed = new ArrayNode();
        for (Origin origin : origins) {
            ArrayNode list = origin.section().get(key) instanceof ArrayNode other && !other.isEmpty() ? other : own;
            int at = REPEATED.contains(key) ? origin.layer() % list.size() : origin.layer();
            if (at < list.size()) {
                followed.add(list.path(at));
            }
        }
        for (int i = before; predictionKept && !REPEATED.contains(key) && i < own.size(); i++) {
            followed.add(own.path(i));
        }
        return REPEATED.contains(key) && repeats(own, followed) ? own : followed;
    }

    private static boolean repeats(ArrayNode pattern, ArrayNode all) {
        for (int i = 0; i < all.size(); i++) {
            if (!all.path(i).equals(pattern.path(i % pattern.size()))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLetters(String key, String value, int layers) {
        return LETTERS.contains(key) && value.length() == layers;
    }

    private String letters(String key, String own) {
        StringBuilder followed = new StringBuilder();
        for (Origin origin : origins) {
            String other = origin.section().path(key).asString(own);
            String letters = other.length() == origin.layers() ? other : own;
            if (origin.layer() < letters.length()) {
                followed.append(letters.charAt(origin.layer()));
            }
        }
        return followed.toString();
    }

    /** Whether a list contains layer numbers: it is a known one, or its name and values suggest it. */
    private static boolean isNumbers(String key, JsonNode value, int layers) {
        if (!(value instanceof ArrayNode list)) {
            return false;
        }
        if (NUMBERS.contains(key)) {
            return true;
        }
        int last = -1;
        for (JsonNode item : list) {
            if (!item.isInt() || item.asInt() <= last || item.asInt() >= layers) {
                return false; // flags, sizes, or a list of lists
            }
            last = item.asInt();
        }
        return NUMBERS_BY_NAME.matcher(key).matches() && !list.isEmpty() && !isFlags(list, layers);
    }

    private static boolean isFlags(ArrayNode list, int layers) {
        return list.size() == layers && list.path(layers - 1).asInt() <= 1; // [0], or [0, 1] of two layers
    }

    private ArrayNode numbers(String key, JsonNode own) {
        ArrayNode followed = new ArrayNode();
        for (int j = 0; j < origins.size(); j++) {
            Origin origin = origins.get(j);
            JsonNode other = numbersOf(origin.section().get(key));
            if (contains(other instanceof ArrayNode ? other : own, origin.layer())) {
                followed.add(j);
            }
        }
        return followed;
    }

    private ArrayNode fromOne(String name, ObjectNode donor) {
        ArrayNode followed = new ArrayNode();
        for (int j = 0; j < origins.size(); j++) {
            Origin origin = origins.get(j);
            JsonNode own = origin.section().path(FROM_ONE).path(name);
            JsonNode list =
                    own instanceof ArrayNode ? own : donor.path(FROM_ONE).path(name);
            if (contains(list, origin.layer() + 1)) {
                followed.add(j + 1);
            }
        }
        return followed;
    }

    private static boolean contains(JsonNode list, int number) {
        for (JsonNode item : list) {
            if (item.asInt(-1) == number) {
                return true;
            }
        }
        return false;
    }

    /** Numbers in a list, or in a text with commas between them. */
    private static JsonNode numbersOf(@Nullable JsonNode value) {
        if (value == null || !value.isString()) {
            return value == null ? JsonNode.missing() : value;
        }
        ArrayNode numbers = new ArrayNode();
        for (String number : value.asString().split(",")) {
            if (number.strip().matches("[0-9]{1,6}")) {
                numbers.add(Integer.parseInt(number.strip()));
            }
        }
        return numbers;
    }

    private static String text(ArrayNode numbers) {
        List<String> texts = new ArrayList<>();
        numbers.forEach(number -> texts.add(number.asString()));
        return String.join(",", texts);
    }

    /** GPT-Neo: pairs of a list of kinds and its number of repetitions, and optionally the expanded list. */
    private void attentionTypes(ObjectNode donor, int before, ObjectNode into) {
        Optional<ArrayNode> own = expanded(donor);
        if (own.isEmpty()) {
            return;
        }
        ArrayNode followed = new ArrayNode();
        for (Origin origin : origins) {
            ArrayNode kinds = expanded(origin.section()).orElse(own.get());
            if (origin.layer() < kinds.size()) {
                followed.add(kinds.path(origin.layer()));
            }
        }
        if (followed.equals(own.get()) || own.get().size() != before) {
            return;
        }
        into.putArray("attention_types").addArray().add(followed).add(1);
        if (into.has("attention_layers")) {
            into.set("attention_layers", followed.deepCopy());
        }
    }

    private static Optional<ArrayNode> expanded(ObjectNode section) {
        if (!(section.get("attention_types") instanceof ArrayNode pairs)) {
            return Optional.empty();
        }
        ArrayNode all = new ArrayNode();
        for (JsonNode pair : pairs) {
            int times = Math.min(pair.path(1).asInt(0), 1000);
            for (int i = 0; i < times && pair.path(0) instanceof ArrayNode kinds; i++) {
                all.addAll(kinds);
            }
        }
        return Optional.of(all);
    }

    private void rules(ObjectNode donor, int before, ObjectNode into) {
        TreeSet<String> known = new TreeSet<>(List.of("moe_layer_freq", "moe_layer_interval"));
        List.of(LayerRules.values()).forEach(rule -> known.add(rule.key()));
        for (LayerRules rule : LayerRules.in(donor)) {
            List<String> due = origins.stream()
                    .map(origin -> rule.isIn(origin.section())
                            ? rule.kind(origin.section(), origin.layer(), origin.layers())
                            : rule.kind(donor, origin.layer(), before))
                    .toList();
            if (!rule.kinds(into, due.size()).equals(due) && !rule.fit(into, due)) {
                String what = rule.key() + " tells the kind of a layer by its number, and no value of it gives "
                        + String.join(", ", shortened(due)) + ", which the slices put in this order; ";
                if (rule.tellsWeights()) {
                    problems.fatal(what + "choose slices that keep the order of the model");
                } else {
                    problems.notice(what + "the result computes some layers otherwise than their model");
                }
            }
        }
        donor.propertyNames().stream()
                .filter(key -> PERIODS.matcher(key).matches() && !known.contains(key))
                .filter(key ->
                        donor.path(key).isInt() && isBroken(donor.path(key).asInt()))
                .forEach(key -> problems.notice(key + " of the configuration goes by the numbers of layers, and the"
                        + " slices give layers other numbers; see whether it still holds, and choose ranges that begin"
                        + " and end at its multiples if not"));
    }

    private boolean isBroken(int period) {
        for (int j = 0; period > 1 && j < origins.size(); j++) {
            if (origins.get(j).layer() % period != j % period) {
                return true;
            }
        }
        return false;
    }

    private static List<String> shortened(List<String> kinds) {
        return kinds.size() <= 12 ? kinds : List.copyOf(kinds.subList(0, 12));
    }
}
