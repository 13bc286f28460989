package dev.pollux.inference.checkpoint;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The classes of decoders by the {@code model_type} of their configuration, as the {@code AutoModelForCausalLM} of transformers
 * has them, which reads nothing else; of those that can be exported.
 */
final class ModelTypes {

    private static final Map<String, String> CLASSES = new TreeMap<>(Map.ofEntries(
            Map.entry("arcee", "ArceeForCausalLM"),
            Map.entry("bamba", "BambaForCausalLM"),
            Map.entry("cohere", "CohereForCausalLM"),
            Map.entry("cohere2", "Cohere2ForCausalLM"),
            Map.entry("deepseek_v2", "DeepseekV2ForCausalLM"),
            Map.entry("deepseek_v3", "DeepseekV3ForCausalLM"),
            Map.entry("ernie4_5", "Ernie4_5ForCausalLM"),
            Map.entry("exaone4", "Exaone4ForCausalLM"),
            Map.entry("falcon_h1", "FalconH1ForCausalLM"),
            Map.entry("falcon_mamba", "FalconMambaForCausalLM"),
            Map.entry("gemma", "GemmaForCausalLM"),
            Map.entry("gemma2", "Gemma2ForCausalLM"),
            Map.entry("gemma3_text", "Gemma3ForCausalLM"),
            Map.entry("gemma4_text", "Gemma4ForCausalLM"),
            Map.entry("glm", "GlmForCausalLM"),
            Map.entry("glm4", "Glm4ForCausalLM"),
            Map.entry("gpt-sw3", "GPT2LMHeadModel"),
            Map.entry("gpt2", "GPT2LMHeadModel"),
            Map.entry("gpt_neox", "GPTNeoXForCausalLM"),
            Map.entry("gpt_oss", "GptOssForCausalLM"),
            Map.entry("granite", "GraniteForCausalLM"),
            Map.entry("granitemoehybrid", "GraniteMoeHybridForCausalLM"),
            Map.entry("internlm3", "LlamaForCausalLM"),
            Map.entry("iquestcoder", "LlamaForCausalLM"),
            Map.entry("lfm2", "Lfm2ForCausalLM"),
            Map.entry("lfm2_moe", "Lfm2MoeForCausalLM"),
            Map.entry("lfm3", "Lfm3ForCausalLM"),
            Map.entry("llama", "LlamaForCausalLM"),
            Map.entry("mamba", "MambaForCausalLM"),
            Map.entry("mamba2", "Mamba2ForCausalLM"),
            Map.entry("ministral3", "Ministral3ForCausalLM"),
            Map.entry("mistral", "MistralForCausalLM"),
            Map.entry("mixtral", "MixtralForCausalLM"),
            Map.entry("nemotron_h", "NemotronHForCausalLM"),
            Map.entry("olmo2", "Olmo2ForCausalLM"),
            Map.entry("olmo3", "Olmo3ForCausalLM"),
            Map.entry("olmoe", "OlmoeForCausalLM"),
            Map.entry("phi3", "Phi3ForCausalLM"),
            Map.entry("qwen2", "Qwen2ForCausalLM"),
            Map.entry("qwen2_moe", "Qwen2MoeForCausalLM"),
            Map.entry("qwen3", "Qwen3ForCausalLM"),
            Map.entry("qwen3_5", "Qwen3_5ForCausalLM"),
            Map.entry("qwen3_5_text", "Qwen3_5ForCausalLM"),
            Map.entry("qwen3_moe", "Qwen3MoeForCausalLM"),
            Map.entry("qwen3_next", "Qwen3NextForCausalLM"),
            Map.entry("seed_oss", "SeedOssForCausalLM"),
            Map.entry("smollm3", "SmolLM3ForCausalLM"),
            Map.entry("starcoder2", "Starcoder2ForCausalLM")));

    /** Classes that have no head for text, or are only a part: their {@code model_type} does not make a decoder of them. */
    private static final String OTHER_HEADS = ".*(?:ForSequenceClassification|ForTokenClassification"
            + "|ForQuestionAnswering|ForConditionalGeneration|ForMaskedLM|RewardModel|(?<!LMHead)Model)";

    private ModelTypes() {}

    /** The class of a {@code model_type}; empty where it is not known. */
    static Optional<String> decoder(String modelType) {
        return Optional.ofNullable(CLASSES.get(modelType));
    }

    /**
     * The class of a model: the one that is named, unless another follows from {@code modelType} and the name is absent or not
     * known; else the type itself, which is empty where there is none.
     *
     * @param named the first of {@code architectures}; empty for none
     */
    static String decoder(String named, String modelType) {
        if (CLASSES.containsValue(named) || named.matches(OTHER_HEADS)) {
            return named;
        }
        return decoder(modelType).orElse(named.isEmpty() ? modelType : named);
    }

    /** All classes that a {@code model_type} leads to, sorted. */
    static Set<String> decoders() {
        return new TreeSet<>(CLASSES.values());
    }
}
