package dev.pollux.merge;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merge.LoraExtractionReport.Matrix;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The {@code adapter_config.json} of an extracted adapter, as PEFT reads it.
 *
 * @param biases whether a bias changed
 */
record AdapterConfig(
        String base, ExtractionLayout layout, LoraExtractionOptions options, List<Matrix> matrices, boolean biases) {

    ObjectNode json() {
        List<Matrix> used =
                matrices.stream().filter(matrix -> matrix.rank() > 0).toList();
        int rank = used.stream().mapToInt(Matrix::rank).max().orElse(1);
        ObjectNode json = new ObjectNode();
        json.put("base_model_name_or_path", base);
        json.put("peft_type", "LORA");
        json.put("task_type", "CAUSAL_LM");
        json.put("inference_mode", true);
        json.put("use_rslora", false);
        json.put("r", rank);
        putNumber(json, "lora_alpha", options.alpha().orElse(rank));
        json.put("lora_dropout", 0.0);
        json.put("fan_in_fan_out", false);
        json.put("bias", "none");
        if (biases) {
            json.put("lora_bias", true);
        }
        TreeSet<String> targets = new TreeSet<>();
        used.forEach(matrix -> targets.add(last(matrix.module())));
        put(json.putArray("target_modules"), targets);
        TreeSet<String> excluded = untouched(targets);
        if (!excluded.isEmpty()) {
            put(json.putArray("exclude_modules"), excluded);
        }
        TreeSet<String> saved = new TreeSet<>();
        layout.whole().forEach(tensor -> saved.add(last(tensor.module())));
        put(json.putArray("modules_to_save"), saved);
        ObjectNode ranks = json.putObject("rank_pattern");
        ObjectNode alphas = json.putObject("alpha_pattern");
        TreeMap<String, Integer> other = new TreeMap<>();
        used.stream().filter(matrix -> matrix.rank() != rank).forEach(m -> other.put(m.module(), m.rank()));
        other.forEach(ranks::put);
        if (options.alpha().isEmpty()) {
            other.forEach(alphas::put);
        }
        return json;
    }

    /** Modules that a target's name would match though the adapter has nothing for them. */
    private TreeSet<String> untouched(TreeSet<String> targets) {
        TreeSet<String> names = new TreeSet<>();
        matrices.stream().filter(matrix -> matrix.rank() == 0).forEach(matrix -> names.add(matrix.module()));
        layout.left().stream()
                .filter(tensor -> tensor.endsWith(".weight"))
                .forEach(tensor -> names.add(tensor.substring(0, tensor.length() - ".weight".length())));
        names.removeIf(name -> !targets.contains(last(name)));
        return names;
    }

    private static void putNumber(ObjectNode json, String key, double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e9) {
            json.put(key, (long) value);
        } else {
            json.put(key, value);
        }
    }

    private static void put(ArrayNode array, Collection<String> values) {
        values.forEach(array::add);
    }

    private static String last(String module) {
        return module.substring(module.lastIndexOf('.') + 1);
    }
}
