package dev.pollux.inference.gguf;

import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Settings that llama.cpp's graph of an architecture fixes. A model with other values would load there and give other tokens, so
 * it is refused.
 */
final class HubLimits {

    private static final Set<String> GELU = Set.of("gelu_pytorch_tanh", "gelu_new", "gelu");

    private final HubMetadata metadata;
    private final ModelConfig config;
    private final Settings settings;

    HubLimits(HubMetadata metadata, ModelConfig config, Settings settings) {
        this.metadata = metadata;
        this.config = config;
        this.settings = settings;
    }

    void check() {
        boolean gemma = metadata.architecture().startsWith("gemma");
        String activation = settings.text("hidden_activation", settings.text("hidden_act", gemma ? "gelu" : "silu"));
        if (gemma ? !GELU.contains(activation) : !activation.equals("silu")) {
            throw metadata.refused("the activation '" + activation + "' is not the one of " + metadata.architecture());
        }
        window();
        if (gemma && !metadata.architecture().equals("gemma")) {
            queryScale();
        }
        switch (metadata.architecture()) {
            case "gemma2" -> layers(2);
            case "gemma3" -> layers(6);
            case "smollm3" -> rotatedLayers();
            case "qwen3moe" -> experts();
            default -> {} // has no such settings
        }
    }

    /** The window of architectures whose files have none. */
    private void window() {
        boolean stored = metadata.family().settings().containsKey("sliding_window");
        boolean slides = settings.has("sliding_window")
                && settings.flag("use_sliding_window", config.architecture().startsWith("Mistral"));
        if (!stored && slides && settings.integer("sliding_window") < config.contextLength()) {
            throw metadata.refused("sliding_window " + settings.integer("sliding_window")
                    + " is below the context of " + config.contextLength() + " tokens, and files of the architecture "
                    + metadata.architecture() + " have no window");
        }
    }

    /** The format has no key for it: llama.cpp uses the head width, or hiddenSize / heads for the largest models. */
    private void queryScale() {
        boolean largest = metadata.architecture().equals("gemma2") ? config.layers() == 46 : config.layers() == 62;
        int due = largest ? config.hiddenSize() / config.heads() : config.headDim();
        double scalar = settings.number("query_pre_attn_scalar", due);
        if (scalar != due) {
            throw metadata.refused("query_pre_attn_scalar must be " + due + " but is " + scalar);
        }
    }

    /** Every {@code period}th layer attends to all positions, the others to a window. */
    private void layers(int period) {
        List<String> due = new ArrayList<>();
        for (int layer = 1; layer <= config.layers(); layer++) {
            due.add(layer % period == 0 ? "full_attention" : "sliding_attention");
        }
        List<String> types = settings.texts("layer_types");
        int stated = settings.count("sliding_window_pattern", period);
        if (!types.isEmpty() && !types.equals(due) || stated != period) {
            throw metadata.refused("layer_types must have full attention in every layer whose number is a multiple of "
                    + period + " but is " + (types.isEmpty() ? "every " + stated : types));
        }
    }

    private void rotatedLayers() {
        List<Double> rotated = settings.numbers("no_rope_layers");
        for (int layer = 0; layer < rotated.size(); layer++) {
            if (rotated.get(layer) != ((layer + 1) % 4 == 0 ? 0 : 1)) {
                throw metadata.refused("no_rope_layers must be 0 in every fourth layer but is " + rotated);
            }
        }
        if (settings.count("no_rope_layer_interval", 4) != 4) {
            throw metadata.refused(
                    "no_rope_layer_interval must be 4 but is " + settings.count("no_rope_layer_interval", 4));
        }
    }

    /** All layers have experts, whose weights are normalized. */
    private void experts() {
        if (!settings.ids("mlp_only_layers").isEmpty()
                || settings.count("decoder_sparse_step", 1) != 1
                || !settings.flag("norm_topk_prob", true)) {
            throw metadata.refused("mlp_only_layers must be empty, decoder_sparse_step 1 and norm_topk_prob true");
        }
    }
}
