package dev.pollux.inference.adapter;

import dev.pollux.inference.adapter.PeftTensor.Part;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/*
 * PEFT builds the modules of an adapter only from its settings and then loads tensors into them. The settings must
 * therefore yield the rank and the scale of each matrix and name each module with a tensor. Settings that meet this
 * condition are written unchanged, so a loaded adapter keeps its settings. Otherwise r and lora_alpha are set to those of
 * the largest rank, and rank_pattern and alpha_pattern get an entry for each matrix that differs.
 */
/** Collects the tensors of an adapter and completes its settings from them. */
final class SavedSettings {

    private final Map<String, Integer> ranks = new TreeMap<>(); // by module
    private final Map<String, Double> scales = new TreeMap<>(); // by module
    private final Set<String> whole = new TreeSet<>(); // modules
    private final Set<Part> kinds = EnumSet.noneOf(Part.class);

    void factors(String target, int rank, double scale) {
        ranks.put(PeftTensor.module(target), rank);
        scales.put(PeftTensor.module(target), scale);
    }

    void holds(String target, Part part) {
        kinds.add(part);
        if (part == Part.WHOLE) {
            whole.add(PeftTensor.module(target));
        }
    }

    ObjectNode complete(PeftConfig config) {
        ObjectNode json = config.json();
        putIfAbsent(json, "peft_type", "LORA");
        putIfAbsent(json, "task_type", "CAUSAL_LM");
        if (!ranks.isEmpty() && !(json.has("r") && config.givesRanks(ranks) && config.givesScales(ranks, scales))) {
            describe(json, config.is("use_rslora"));
        }
        if (!config.has("target_modules") && !ranks.isEmpty()) {
            putAll(json.putArray("target_modules"), ranks.keySet());
        }
        if (kinds.contains(Part.MAGNITUDE)) {
            json.put("use_dora", true);
        }
        if (kinds.contains(Part.BIAS)) {
            json.put("lora_bias", true);
        }
        if (!json.has("modules_to_save") && !whole.isEmpty()) {
            TreeSet<String> names = new TreeSet<>();
            whole.forEach(module -> names.add(PeftTensor.last(module)));
            putAll(json.putArray("modules_to_save"), names);
        }
        return json;
    }

    private void describe(ObjectNode json, boolean rankStabilized) {
        String largest = ranks.keySet().stream()
                .reduce((one, other) -> rank(other) > rank(one) ? other : one)
                .orElseThrow();
        int rank = rank(largest);
        double alpha = alpha(largest, rankStabilized);
        json.put("r", rank);
        putNumber(json, "lora_alpha", alpha);
        ObjectNode otherRanks = json.putObject("rank_pattern");
        ObjectNode otherAlphas = json.putObject("alpha_pattern");
        for (String module : ranks.keySet()) {
            if (rank(module) != rank) {
                otherRanks.put(pattern(module), rank(module));
            }
            if (alpha / divisor(module, rankStabilized) != scale(module)) {
                putNumber(otherAlphas, pattern(module), alpha(module, rankStabilized));
            }
        }
    }

    /** The α that yields a scale; an integer if one does. */
    private double alpha(String module, boolean rankStabilized) {
        double divisor = divisor(module, rankStabilized);
        double alpha = scale(module) * divisor;
        return Math.rint(alpha) / divisor == scale(module) ? Math.rint(alpha) : alpha;
    }

    private double divisor(String module, boolean rankStabilized) {
        return rankStabilized ? Math.sqrt(rank(module)) : rank(module);
    }

    private int rank(String module) {
        return ranks.getOrDefault(module, 0);
    }

    private double scale(String module) {
        return scales.getOrDefault(module, 0.0);
    }

    /** The key of a module. PEFT matches a key at the end of a name, so it is anchored by ^ if another name ends in it. */
    private String pattern(String module) {
        boolean isEnd = ranks.keySet().stream().anyMatch(other -> other.endsWith("." + module));
        return isEnd ? "^" + module : module;
    }

    private static void putIfAbsent(ObjectNode json, String key, String value) {
        if (!json.has(key)) {
            json.put(key, value);
        }
    }

    private static void putAll(ArrayNode array, Collection<String> values) {
        values.forEach(array::add);
    }

    private static void putNumber(ObjectNode json, String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e9) {
            json.put(key, (long) value);
        } else {
            json.put(key, value);
        }
    }
}
