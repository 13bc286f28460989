package dev.pollux.inference.gguf;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.checkpoint.GgufFamilies;
import dev.pollux.inference.checkpoint.GgufFamily;
import dev.pollux.inference.checkpoint.ModelConfig;
import dev.pollux.inference.checkpoint.Settings;
import dev.pollux.tensor.GgufValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/** The configuration of a Hugging Face folder as metadata of GGUF: the inverse of the tables of {@link GgufFamilies}. */
final class HubMetadata {

    /** GGUF architectures by Hugging Face class. Mistral without a window is stored as Llama. */
    private static final Map<String, String> ARCHITECTURES = new TreeMap<>(Map.ofEntries(
            Map.entry("LlamaForCausalLM", "llama"),
            Map.entry("MistralForCausalLM", "llama"),
            Map.entry("Qwen2ForCausalLM", "qwen2"),
            Map.entry("Qwen3ForCausalLM", "qwen3"),
            Map.entry("Qwen3MoeForCausalLM", "qwen3moe"),
            Map.entry("GemmaForCausalLM", "gemma"),
            Map.entry("Gemma2ForCausalLM", "gemma2"),
            Map.entry("Gemma3ForCausalLM", "gemma3"),
            Map.entry("GraniteForCausalLM", "granite"),
            Map.entry("Olmo2ForCausalLM", "olmo2"),
            Map.entry("Phi3ForCausalLM", "phi3"),
            Map.entry("SmolLM3ForCausalLM", "smollm3")));

    private static final Set<String> COUNTS = Set.of(
            "attention.sliding_window",
            "expert_count",
            "expert_used_count",
            "expert_feed_forward_length",
            "expert_shared_feed_forward_length");

    private final Checkpoint checkpoint;
    private final ModelConfig config;
    private final Settings settings;
    private final String architecture;
    private final GgufFamily family;
    private final Map<String, GgufValue> values = new LinkedHashMap<>();
    private final HubRotary rotary;

    private HubMetadata(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
        this.config = checkpoint.config();
        this.settings = checkpoint.settings();
        String found = ARCHITECTURES.get(config.architecture());
        if (found == null) {
            throw refused("the architecture '" + config.architecture() + "' cannot be written, only " + classes());
        }
        this.architecture = found;
        this.family = Objects.requireNonNull(GgufFamilies.named(found));
        this.rotary = new HubRotary(this, config, settings);
        new HubLimits(this, config, settings).check();
    }

    /** Reads the configuration and refuses settings that the format or llama.cpp's graph does not have. */
    static HubMetadata of(Checkpoint checkpoint) {
        HubMetadata metadata = new HubMetadata(checkpoint);
        metadata.write();
        return metadata;
    }

    /** The Hugging Face classes that can be written. */
    static List<String> classes() {
        return List.copyOf(ARCHITECTURES.keySet());
    }

    /** The common names of tensors. */
    static GgufFamily plain() {
        return Objects.requireNonNull(GgufFamilies.named("qwen2"));
    }

    private void write() {
        values.put("general.architecture", GgufValue.string(architecture));
        values.put("general.type", GgufValue.string("model"));
        values.put("general.name", GgufValue.string(config.name()));
        ModelCard.license(checkpoint.path())
                .ifPresent(license -> values.put("general.license", GgufValue.string(license)));
        count("context_length", config.contextLength());
        count("embedding_length", config.hiddenSize());
        count("block_count", config.layers());
        count("feed_forward_length", config.intermediateSize());
        count("attention.head_count", config.heads());
        count("attention.head_count_kv", config.keyValueHeads());
        count("attention.key_length", config.headDim());
        count("attention.value_length", config.headDim());
        number("attention.layer_norm_rms_epsilon", config.normEpsilon());
        family.settings().forEach((setting, key) -> {
            if (settings.has(setting)) {
                double value = settings.number(setting, 0);
                if (COUNTS.contains(key)) {
                    count(key, (long) value);
                } else {
                    number(key, value);
                }
            }
        });
        rotary.write();
    }

    void count(String key, long value) {
        values.put(architecture + "." + key, GgufValue.u32(value));
    }

    void number(String key, double value) {
        values.put(architecture + "." + key, GgufValue.f32(value));
    }

    void text(String key, String value) {
        values.put(architecture + "." + key, GgufValue.string(value));
    }

    /** {@code general.architecture}. */
    String architecture() {
        return architecture;
    }

    GgufFamily family() {
        return family;
    }

    /** The metadata without tokenizer, in the order of the file. */
    Map<String, GgufValue> values() {
        return values;
    }

    /** Tensors of rotary factors by name. */
    Map<String, List<Float>> rotaryFactors() {
        return rotary.factors();
    }

    /** The number of experts; 0 if there are none. */
    int experts() {
        return architecture.endsWith("moe") ? settings.count("num_experts", settings.count("num_local_experts", 0)) : 0;
    }

    /** Whether llama.cpp's graph of the architecture adds this bias. */
    boolean takesBias(String name) {
        boolean attention = name.matches("blk\\.\\d+\\.attn_[qkv]\\.bias");
        return switch (architecture) {
            case "llama", "granite" -> attention || name.matches("blk\\.\\d+\\.(attn_output|ffn_.*)\\.bias");
            case "qwen2" -> attention;
            default -> false;
        };
    }

    UnsupportedModelException refused(String why) {
        return new UnsupportedModelException(
                checkpoint.path() + " cannot be written as GGUF: " + why + "; use the folder, or export it to ONNX");
    }
}
