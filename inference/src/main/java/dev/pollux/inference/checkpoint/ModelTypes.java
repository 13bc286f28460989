package dev.pollux.inference.checkpoint;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The classes of decoders by the {@code model_type} of their configuration, as in the {@code AutoModelForCausalLM} of
 * transformers, which reads only this key; restricted to those that can be exported.
 */
final class ModelTypes {

    private static final Map<String, String> CLASSES = new TreeMap<>(Map.ofEntries(
            Map.entry("afmoe", "AfmoeForCausalLM"),
            Map.entry("apertus", "ApertusForCausalLM"),
            Map.entry("arcee", "ArceeForCausalLM"),
            Map.entry("bamba", "BambaForCausalLM"),
            Map.entry("biogpt", "BioGptForCausalLM"),
            Map.entry("bitnet", "BitNetForCausalLM"),
            Map.entry("bloom", "BloomForCausalLM"),
            Map.entry("codegen", "CodeGenForCausalLM"),
            Map.entry("cohere", "CohereForCausalLM"),
            Map.entry("cohere2", "Cohere2ForCausalLM"),
            Map.entry("cohere2_moe", "Cohere2MoeForCausalLM"),
            Map.entry("cwm", "CwmForCausalLM"),
            Map.entry("deepseek_v2", "DeepseekV2ForCausalLM"),
            Map.entry("deepseek_v3", "DeepseekV3ForCausalLM"),
            Map.entry("diffllama", "DiffLlamaForCausalLM"),
            Map.entry("doge", "DogeForCausalLM"),
            Map.entry("dots1", "Dots1ForCausalLM"),
            Map.entry("ernie4_5", "Ernie4_5ForCausalLM"),
            Map.entry("ernie4_5_moe", "Ernie4_5_MoeForCausalLM"),
            Map.entry("exaone4", "Exaone4ForCausalLM"),
            Map.entry("exaone_moe", "ExaoneMoeForCausalLM"),
            Map.entry("falcon", "FalconForCausalLM"),
            Map.entry("falcon_h1", "FalconH1ForCausalLM"),
            Map.entry("falcon_mamba", "FalconMambaForCausalLM"),
            Map.entry("flex_olmo", "FlexOlmoForCausalLM"),
            Map.entry("gemma", "GemmaForCausalLM"),
            Map.entry("gemma2", "Gemma2ForCausalLM"),
            Map.entry("gemma3_text", "Gemma3ForCausalLM"),
            Map.entry("gemma3n_text", "Gemma3nForCausalLM"),
            Map.entry("gemma4_text", "Gemma4ForCausalLM"),
            Map.entry("glm", "GlmForCausalLM"),
            Map.entry("glm4", "Glm4ForCausalLM"),
            Map.entry("glm4_moe", "Glm4MoeForCausalLM"),
            Map.entry("glm4_moe_lite", "Glm4MoeLiteForCausalLM"),
            Map.entry("gpt-sw3", "GPT2LMHeadModel"),
            Map.entry("gpt2", "GPT2LMHeadModel"),
            Map.entry("gpt_bigcode", "GPTBigCodeForCausalLM"),
            Map.entry("gpt_neo", "GPTNeoForCausalLM"),
            Map.entry("gpt_neox", "GPTNeoXForCausalLM"),
            Map.entry("gpt_oss", "GptOssForCausalLM"),
            Map.entry("gptj", "GPTJForCausalLM"),
            Map.entry("granite", "GraniteForCausalLM"),
            Map.entry("granite_swa", "GraniteSWAForCausalLM"),
            Map.entry("granitemoe", "GraniteMoeForCausalLM"),
            Map.entry("granitemoe_swa", "GraniteMoeSWAForCausalLM"),
            Map.entry("granitemoehybrid", "GraniteMoeHybridForCausalLM"),
            Map.entry("granitemoeshared", "GraniteMoeSharedForCausalLM"),
            Map.entry("helium", "HeliumForCausalLM"),
            Map.entry("hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM"),
            Map.entry("hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM"),
            Map.entry("hy_v3", "HYV3ForCausalLM"),
            Map.entry("hyperclovax", "HyperCLOVAXForCausalLM"),
            Map.entry("internlm3", "LlamaForCausalLM"),
            Map.entry("iquestcoder", "LlamaForCausalLM"),
            Map.entry("jais2", "Jais2ForCausalLM"),
            Map.entry("jamba", "JambaForCausalLM"),
            Map.entry("laguna", "LagunaForCausalLM"),
            Map.entry("lfm2", "Lfm2ForCausalLM"),
            Map.entry("lfm2_moe", "Lfm2MoeForCausalLM"),
            Map.entry("lfm3", "Lfm3ForCausalLM"),
            Map.entry("llama", "LlamaForCausalLM"),
            Map.entry("mamba", "MambaForCausalLM"),
            Map.entry("mamba2", "Mamba2ForCausalLM"),
            Map.entry("mellum", "MellumForCausalLM"),
            Map.entry("minicpm3", "MiniCPM3ForCausalLM"),
            Map.entry("minimax_m2", "MiniMaxM2ForCausalLM"),
            Map.entry("ministral", "MinistralForCausalLM"),
            Map.entry("ministral3", "Ministral3ForCausalLM"),
            Map.entry("mistral", "MistralForCausalLM"),
            Map.entry("mixtral", "MixtralForCausalLM"),
            Map.entry("mpt", "MptForCausalLM"),
            Map.entry("nanochat", "NanoChatForCausalLM"),
            Map.entry("nemotron", "NemotronForCausalLM"),
            Map.entry("nemotron_h", "NemotronHForCausalLM"),
            Map.entry("olmo", "OlmoForCausalLM"),
            Map.entry("olmo2", "Olmo2ForCausalLM"),
            Map.entry("olmo3", "Olmo3ForCausalLM"),
            Map.entry("olmo_hybrid", "OlmoHybridForCausalLM"),
            Map.entry("olmoe", "OlmoeForCausalLM"),
            Map.entry("opt", "OPTForCausalLM"),
            Map.entry("persimmon", "PersimmonForCausalLM"),
            Map.entry("phi", "PhiForCausalLM"),
            Map.entry("phi3", "Phi3ForCausalLM"),
            Map.entry("phimoe", "PhimoeForCausalLM"),
            Map.entry("qwen2", "Qwen2ForCausalLM"),
            Map.entry("qwen2_moe", "Qwen2MoeForCausalLM"),
            Map.entry("qwen3", "Qwen3ForCausalLM"),
            Map.entry("qwen3_5", "Qwen3_5ForCausalLM"),
            Map.entry("qwen3_5_moe", "Qwen3_5MoeForCausalLM"),
            Map.entry("qwen3_5_moe_text", "Qwen3_5MoeForCausalLM"),
            Map.entry("qwen3_5_text", "Qwen3_5ForCausalLM"),
            Map.entry("qwen3_moe", "Qwen3MoeForCausalLM"),
            Map.entry("qwen3_next", "Qwen3NextForCausalLM"),
            Map.entry("recurrent_gemma", "RecurrentGemmaForCausalLM"),
            Map.entry("seed_oss", "SeedOssForCausalLM"),
            Map.entry("smollm3", "SmolLM3ForCausalLM"),
            Map.entry("solar_open", "SolarOpenForCausalLM"),
            Map.entry("stablelm", "StableLmForCausalLM"),
            Map.entry("starcoder2", "Starcoder2ForCausalLM"),
            Map.entry("vaultgemma", "VaultGemmaForCausalLM"),
            Map.entry("youtu", "YoutuForCausalLM"),
            Map.entry("zamba2", "Zamba2ForCausalLM")));

    /** Classes without a head for text, or that are only a component: their {@code model_type} does not identify a decoder. */
    private static final String OTHER_HEADS = ".*(?:ForSequenceClassification|ForTokenClassification"
            + "|ForQuestionAnswering|ForConditionalGeneration|ForMaskedLM|RewardModel|(?<!LMHead)Model)";

    private ModelTypes() {}

    /** The class for a {@code model_type}; empty if it is not known. */
    static Optional<String> decoder(String modelType) {
        return Optional.ofNullable(CLASSES.get(modelType));
    }

    /**
     * The class of a model: {@code named} if it is known, otherwise the class for {@code modelType}; if there is none,
     * {@code named}, or {@code modelType} if {@code named} is empty.
     *
     * @param named the first of {@code architectures}; empty if there is none
     */
    static String decoder(String named, String modelType) {
        if (CLASSES.containsValue(named) || named.matches(OTHER_HEADS)) {
            return named;
        }
        return decoder(modelType).orElse(named.isEmpty() ? modelType : named);
    }

    /** All classes that a {@code model_type} maps to, sorted. */
    static Set<String> decoders() {
        return new TreeSet<>(CLASSES.values());
    }
}
