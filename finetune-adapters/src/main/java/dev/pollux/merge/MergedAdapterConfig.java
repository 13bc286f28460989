package dev.pollux.merge;

import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.inference.adapter.PeftTensor;
import dev.pollux.inference.internal.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The {@code adapter_config.json} of merged adapters: the first one's, with the settings that say which modules there are and
 * how their factors are read as they are now.
 */
record MergedAdapterConfig(ObjectNode first, AdapterTargets targets) {

    /** Settings that chose modules, or ways to begin, of one of the adapters. */
    private static final List<String> OF_ONE = List.of(
            "layers_to_transform",
            "layers_pattern",
            "exclude_modules",
            "modules_to_save",
            "trainable_token_indices",
            "target_parameters",
            "loftq_config",
            "eva_config",
            "corda_config",
            "lora_ga_config",
            "velora_config");

    static MergedAdapterConfig of(Path first, AdapterTargets targets) {
        return new MergedAdapterConfig(
                JsonFiles.read(first.resolve(PeftConfig.CONFIG)).orElseGet(ObjectNode::new), targets);
    }

    /** @param ranks by the name of the matrix; the scale of each product is 1 */
    ObjectNode json(Map<String, Integer> ranks) {
        ObjectNode config = first.deepCopy();
        int most = ranks.values().stream().mapToInt(rank -> rank).max().orElse(1);
        config.put("r", most).put("lora_alpha", most).put("use_rslora", false).put("inference_mode", true);
        config.put("peft_type", "LORA").put("bias", "none").put("init_lora_weights", true);
        config.put("fan_in_fan_out", targets.adapters().stream().anyMatch(adapter -> adapter.is("fan_in_fan_out")));
        for (String flag : List.of("use_dora", "lora_bias", "ensure_weight_tying")) {
            if (config.has(flag)) {
                config.put(flag, false);
            }
        }
        OF_ONE.stream().filter(config::has).forEach(config::putNull);
        ObjectNode rank = config.putObject("rank_pattern");
        ObjectNode alpha = config.putObject("alpha_pattern");
        ranks.forEach((tensor, r) -> {
            if (r != most) {
                String pattern = pattern(PeftTensor.module(tensor), ranks.keySet());
                rank.put(pattern, r);
                alpha.put(pattern, r);
            }
        });
        var modules = config.putArray("target_modules");
        modules(ranks.keySet()).forEach(modules::add);
        return config;
    }

    /** PEFT takes a pattern for the end of a name, unless it says that it is the beginning too. */
    static String pattern(String module, Set<String> tensors) {
        boolean isEnd =
                tensors.stream().anyMatch(other -> PeftTensor.module(other).endsWith("." + module));
        return isEnd ? "^" + module : module;
    }

    /** The ends of names where each of the adapters was of all modules so named; else the modules one by one. */
    private Set<String> modules(Set<String> tensors) {
        boolean byName = targets.adapters().stream().allMatch(LoraWeights::targetsByName);
        TreeSet<String> modules = new TreeSet<>();
        tensors.forEach(tensor -> {
            String module = PeftTensor.module(tensor);
            modules.add(byName ? module.substring(module.lastIndexOf('.') + 1) : module);
        });
        return modules;
    }
}
