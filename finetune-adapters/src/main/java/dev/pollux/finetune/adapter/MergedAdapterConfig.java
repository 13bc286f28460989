package dev.pollux.finetune.adapter;

import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.inference.adapter.PeftTensor;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The configuration of a merged adapter: that of the first adapter without the settings for its own modules and scales. */
final class MergedAdapterConfig {

    /** Settings that select the modules or the initialization of a single adapter. */
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

    private MergedAdapterConfig() {}

    static PeftConfig of(AdapterTargets targets) {
        List<LoraAdapter> adapters = targets.adapters();
        PeftConfig first = adapters.get(0).settings();
        PeftConfig.Builder settings = first.toBuilder()
                .unset(OF_ONE)
                .set("peft_type", "LORA")
                .set("bias", "none")
                .set("init_lora_weights", true)
                .set("inference_mode", true)
                .set("use_rslora", false)
                .set(
                        "fan_in_fan_out",
                        adapters.stream().anyMatch(adapter -> adapter.settings().is("fan_in_fan_out")))
                .targetModules(modules(adapters, targets.names()));
        for (String flag : List.of("use_dora", "lora_bias", "ensure_weight_tying")) {
            if (first.is(flag)) {
                settings.set(flag, false);
            }
        }
        return settings.build();
    }

    /** The module suffixes if every adapter changes all modules with these suffixes; otherwise the full module names. */
    private static Set<String> modules(List<LoraAdapter> adapters, Set<String> tensors) {
        boolean byName =
                adapters.stream().allMatch(adapter -> adapter.settings().targetsByName());
        TreeSet<String> modules = new TreeSet<>();
        tensors.forEach(tensor -> {
            String module = PeftTensor.module(tensor);
            modules.add(byName ? module.substring(module.lastIndexOf('.') + 1) : module);
        });
        return modules;
    }
}
