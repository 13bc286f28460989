package dev.pollux.inference.internal.architecture;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.layer.Blocks;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The supported architectures by their names in {@code architectures} of a configuration. */
public final class Architectures {

    private static final Map<String, Function<Blocks, Architecture>> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("AfmoeForCausalLM", Afmoe::new),
            Map.entry("ApertusForCausalLM", Apertus::new),
            Map.entry("ArceeForCausalLM", Arcee::new),
            Map.entry("BambaForCausalLM", Bamba::new),
            Map.entry("BioGptForCausalLM", BioGpt::new),
            Map.entry("BitNetForCausalLM", BitNet::new),
            Map.entry("BloomForCausalLM", Bloom::new),
            Map.entry("CodeGenForCausalLM", CodeGen::new),
            Map.entry("Cohere2ForCausalLM", Cohere2::new),
            Map.entry("Cohere2MoeForCausalLM", Cohere2Moe::new),
            Map.entry("CohereForCausalLM", Cohere::new),
            Map.entry("CwmForCausalLM", Cwm::new),
            Map.entry("DeepseekV2ForCausalLM", DeepseekV2::new),
            Map.entry("DeepseekV3ForCausalLM", DeepseekV3::new),
            Map.entry("DiffLlamaForCausalLM", DiffLlama::new),
            Map.entry("DogeForCausalLM", Doge::new),
            Map.entry("Dots1ForCausalLM", Dots1::new),
            Map.entry("Ernie4_5_MoeForCausalLM", Ernie45Moe::new),
            Map.entry("Ernie4_5ForCausalLM", Ernie45::new),
            Map.entry("Exaone4ForCausalLM", Exaone4::new),
            Map.entry("ExaoneMoeForCausalLM", ExaoneMoe::new),
            Map.entry("FalconForCausalLM", Falcon::new),
            Map.entry("FalconH1ForCausalLM", FalconH1::new),
            Map.entry("FalconMambaForCausalLM", Mamba::new),
            Map.entry("FlexOlmoForCausalLM", FlexOlmo::new),
            Map.entry("Gemma2ForCausalLM", Gemma2::new),
            Map.entry("Gemma3ForCausalLM", Gemma3::new),
            Map.entry("Gemma3nForCausalLM", Gemma3n::new),
            Map.entry("Gemma4ForCausalLM", Gemma4::new),
            Map.entry("GemmaForCausalLM", Gemma::new),
            Map.entry("Glm4ForCausalLM", Glm4::new),
            Map.entry("Glm4MoeForCausalLM", Glm4Moe::new),
            Map.entry("Glm4MoeLiteForCausalLM", Glm4MoeLite::new),
            Map.entry("GlmForCausalLM", Glm::new),
            Map.entry("GPT2LMHeadModel", Gpt2::new),
            Map.entry("GPTBigCodeForCausalLM", GptBigCode::new),
            Map.entry("GPTJForCausalLM", GptJ::new),
            Map.entry("GPTNeoForCausalLM", GptNeo::new),
            Map.entry("GPTNeoXForCausalLM", GptNeoX::new),
            Map.entry("GptOssForCausalLM", GptOss::new),
            Map.entry("GraniteForCausalLM", Granite::new),
            Map.entry("GraniteMoeForCausalLM", GraniteHybrid::new),
            Map.entry("GraniteMoeHybridForCausalLM", GraniteHybrid::new),
            Map.entry("GraniteMoeSharedForCausalLM", GraniteHybrid::new),
            Map.entry("GraniteMoeSWAForCausalLM", GraniteMoeSwa::new),
            Map.entry("GraniteSWAForCausalLM", GraniteSwa::new),
            Map.entry("HeliumForCausalLM", Helium::new),
            Map.entry("HunYuanDenseV1ForCausalLM", HunyuanDense::new),
            Map.entry("HunYuanMoEV1ForCausalLM", HunyuanMoe::new),
            Map.entry("HyperCLOVAXForCausalLM", HyperClovaX::new),
            Map.entry("HYV3ForCausalLM", HunyuanV3::new),
            Map.entry("Jais2ForCausalLM", Jais2::new),
            Map.entry("JambaForCausalLM", Jamba::new),
            Map.entry("LagunaForCausalLM", Laguna::new),
            Map.entry("Lfm2ForCausalLM", Lfm2::new),
            Map.entry("Lfm2MoeForCausalLM", Lfm2::new),
            Map.entry("Lfm3ForCausalLM", Lfm3::new),
            Map.entry("LlamaForCausalLM", Llama::new),
            Map.entry("Mamba2ForCausalLM", Mamba2::new),
            Map.entry("MambaForCausalLM", Mamba::new),
            Map.entry("MellumForCausalLM", Mellum::new),
            Map.entry("MiniCPM3ForCausalLM", MiniCpm3::new),
            Map.entry("MiniMaxM2ForCausalLM", MiniMaxM2::new),
            Map.entry("Ministral3ForCausalLM", Ministral3::new),
            Map.entry("MinistralForCausalLM", Ministral::new),
            Map.entry("MistralForCausalLM", Mistral::new),
            Map.entry("MixtralForCausalLM", Mixtral::new),
            Map.entry("MptForCausalLM", Mpt::new),
            Map.entry("NanoChatForCausalLM", NanoChat::new),
            Map.entry("NemotronForCausalLM", Nemotron::new),
            Map.entry("NemotronHForCausalLM", NemotronH::new),
            Map.entry("Olmo2ForCausalLM", Olmo::new),
            Map.entry("Olmo3ForCausalLM", Olmo::new),
            Map.entry("OlmoeForCausalLM", Olmoe::new),
            Map.entry("OlmoForCausalLM", Olmo1::new),
            Map.entry("OlmoHybridForCausalLM", OlmoHybrid::new),
            Map.entry("OPTForCausalLM", Opt::new),
            Map.entry("PersimmonForCausalLM", Persimmon::new),
            Map.entry("Phi3ForCausalLM", Phi3::new),
            Map.entry("PhiForCausalLM", Phi::new),
            Map.entry("PhimoeForCausalLM", Phimoe::new),
            Map.entry("Qwen2ForCausalLM", Qwen2::new),
            Map.entry("Qwen2MoeForCausalLM", Qwen2Moe::new),
            Map.entry("Qwen3_5ForCausalLM", Qwen35::new),
            Map.entry("Qwen3_5MoeForCausalLM", Qwen35::new),
            Map.entry("Qwen3ForCausalLM", Qwen3::new),
            Map.entry("Qwen3MoeForCausalLM", Qwen3Moe::new),
            Map.entry("Qwen3NextForCausalLM", Qwen35::new),
            Map.entry("RecurrentGemmaForCausalLM", RecurrentGemma::new),
            Map.entry("SeedOssForCausalLM", Llama::new),
            Map.entry("SmolLM3ForCausalLM", SmolLm3::new),
            Map.entry("SolarOpenForCausalLM", SolarOpen::new),
            Map.entry("StableLmForCausalLM", StableLm::new),
            Map.entry("Starcoder2ForCausalLM", Starcoder2::new),
            Map.entry("VaultGemmaForCausalLM", VaultGemma::new),
            Map.entry("YoutuForCausalLM", Youtu::new),
            Map.entry("Zamba2ForCausalLM", Zamba2::new)));

    /** The maximum edit distance of a suggested name. */
    private static final int NEAR = 4;

    private Architectures() {}

    /** The supported values of {@code architectures} in a configuration, sorted. */
    public static List<String> known() {
        return List.copyOf(KNOWN.keySet());
    }

    /** The architecture that the configuration of {@code blocks} names. */
    public static Architecture of(Blocks blocks) {
        String wanted = blocks.config.architecture();
        Function<Blocks, Architecture> maker = KNOWN.get(wanted);
        if (maker == null) {
            throw new UnsupportedModelException(blocks.settings.file() + ": " + unknown(wanted));
        }
        return maker.apply(blocks);
    }

    /**
     * The error for an unknown name, with the closest supported name unless all differ too much, since a wrong suggestion
     * would mislead.
     */
    private static String unknown(String wanted) {
        if (wanted.isEmpty()) {
            return "it names neither architectures nor a model_type, of which one must say what the model is;"
                    + " supported are "
                    + KNOWN.keySet();
        }
        String nearest = KNOWN.keySet().stream()
                .min(Comparator.comparingInt(known -> distance(wanted, known)))
                .orElseThrow();
        boolean near = distance(wanted, nearest) <= NEAR;
        return "the architecture '" + wanted + "' is not supported"
                + (near ? "; the nearest that is, is " + nearest + ", of " : "; supported are ") + KNOWN.keySet();
    }

    /** The edit distance of Levenshtein. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
